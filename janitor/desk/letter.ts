import { validate as isUuid } from 'uuid';
import type { Path } from '../../saga/ports/store.ts';

/** What became of a letter: it waits for people, was sent back to its topic, or was given up by them. */
export const LETTER_STATUSES = ['parked', 'redriven', 'discarded'] as const;
export type LetterStatus = (typeof LETTER_STATUSES)[number];

/** A message that could not be processed, kept for people to look at. */
export interface DeadLetter {
  readonly id: string;
  readonly status: LetterStatus;
  readonly reason: string;
  /** Where it could not be processed, and how often that was tried. */
  readonly subscription: string;
  readonly attempts: number;
  /** The topic of that subscription, to which a redrive sends it; absent where the topology does not know it. */
  readonly topic?: string;
  /** The order that it names; absent where it names none. */
  readonly uuid?: string;
  /** The broker's id of the message when it was published for the first time; absent where that is not known. */
  readonly messageId?: string;
  /** The letter that it was before, where it failed again after a redrive. */
  readonly redriveOf?: string;
  /** Pairs instead of a map: an attribute may have a name that Firestore does not take for a field. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  /** The body as text where it is UTF-8, otherwise in base64; cut at the limit. */
  readonly body: string;
  readonly encoding: 'utf8' | 'base64';
  /** The size of the whole body. */
  readonly bodyBytes: number;
  /**
   * What happened to it, oldest first, as lines: "2026-01-02T03:04:05.678Z discarded Was a test". At most one for each
   * status, because nothing leads back to `parked`.
   */
  readonly history: readonly string[];
  readonly createdAt: Date;
  /** When Firestore may delete the letter: later than any redelivery, which would otherwise park it anew. */
  readonly expireAt: Date;
}

/**
 * How long a letter is kept. With the 31 days for which Pub/Sub keeps a message in its subscription, and as long again in
 * that of the desk, it is gone before the ledger that would absorb its redrive (TOMBSTONE_DAYS in saga/ledger/ledger.ts).
 */
export const LETTER_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;
export const letterExpiry = (parkedAt: Date): Date => new Date(parkedAt.getTime() + LETTER_DAYS * DAY_MS);

export const deadLetterPath = (id: string): Path<DeadLetter> => `dead-letters/${id}`;

/** Whether a letter is as the desk made it, so far as the desk needs it; somebody may have edited it by hand. */
export function isLegible({ id, attributes, body, encoding, history }: DeadLetter): boolean {
  return (
    isUuid(id) &&
    Array.isArray(attributes) &&
    attributes.every((one) => typeof one?.name === 'string' && typeof one.value === 'string') &&
    typeof body === 'string' &&
    ['utf8', 'base64'].includes(encoding) &&
    Array.isArray(history)
  );
}

export const MALFORMED_LETTER = 'The letter is malformed: somebody has edited it by hand';

/** A line of a letter's history. */
export const letterLine = (at: Date, status: LetterStatus, note?: string): string =>
  [at.toISOString(), status, ...(note === undefined ? [] : [note])].join(' ');
