import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { moment } from '../../saga/http/answers.ts';
import type { Path } from '../../saga/ports/store.ts';

/** What became of a letter: it waits for an operator, was sent back to its topic, or was given up. */
export const LETTER_STATUSES = ['parked', 'redriven', 'discarded'] as const;
export type LetterStatus = (typeof LETTER_STATUSES)[number];

/** A message that could not be processed, kept for operators to look at. */
export interface DeadLetter {
  readonly id: string;
  readonly status: LetterStatus;
  readonly reason: string;
  /** The subscription where it could not be processed, and how often that was tried. */
  readonly subscription: string;
  readonly attempts: number;
  /** The topic of that subscription, to which a redrive sends it; absent if the topology does not know it. */
  readonly topic?: string;
  /** The order that it names, if any. */
  readonly uuid?: string;
  /** The broker's id of the message when it was first published; absent if unknown. */
  readonly messageId?: string;
  /** The earlier letter, if the message failed again after a redrive. */
  readonly redriveOf?: string;
  /** Pairs instead of a map, because an attribute may have a name that Firestore does not allow for a field. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  /** The body, as text if it is UTF-8, otherwise in base64; cut at the limit. */
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
  /** When Firestore may delete the letter: later than any redelivery, which would otherwise park it again. */
  readonly expireAt: Date;
}

/**
 * How long a letter is kept. Even after 31 days in a subscription and another 31 in that of the desk, it is gone before the
 * ledger that absorbs its redrive (TOMBSTONE_DAYS in saga/ledger/ledger.ts).
 */
export const LETTER_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;
export const letterExpiry = (parkedAt: Date): Date => new Date(parkedAt.getTime() + LETTER_DAYS * DAY_MS);

/** The collection of the letters. */
export const DEAD_LETTERS = 'dead-letters';
export const deadLetterPath = (id: string): Path<DeadLetter> => `${DEAD_LETTERS}/${id}`;

/** Whether a letter has everything that the desk needs, in the right form: somebody may have edited it by hand. */
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

/** A single letter as operators see it. */
export const viewOf = (letter: DeadLetter): object =>
  isLegible(letter)
    ? { ...letter, attributes: Object.fromEntries(letter.attributes.map(({ name, value }) => [name, value])) }
    : letter;

/** What a list shows of a letter, as JSON has it. */
export const letterOutlineSchema = z.looseObject({
  id: z.string(),
  status: z.enum(LETTER_STATUSES),
  reason: z.string(),
  history: z.array(z.string()),
  createdAt: moment,
});
/** A letter as `viewOf` shows it, as JSON has it; one that somebody has edited may be anything. */
export const letterSchema = z.looseObject({ id: z.unknown() });

/** A line of a letter's history. */
export const letterLine = (at: Date, status: LetterStatus, note?: string): string =>
  [at.toISOString(), status, ...(note === undefined ? [] : [note])].join(' ');
