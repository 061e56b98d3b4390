import type { Path } from '../saga/store.ts';

/** A message that could not be processed, kept for people to look at. */
export interface DeadLetter {
  readonly id: string;
  readonly reason: string;
  /** Where it could not be processed, and how often that was tried. */
  readonly subscription: string;
  readonly attempts: number;
  /** Pairs instead of a map: an attribute may have a name that Firestore does not take for a field. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  /** The body as text where it is UTF-8, otherwise in base64; cut at the limit. */
  readonly body: string;
  readonly encoding: 'utf8' | 'base64';
  /** The size of the whole body. */
  readonly bodyBytes: number;
  readonly createdAt: Date;
}

export const deadLetterPath = (id: string): Path<DeadLetter> => `dead-letters/${id}`;
