import { z } from 'zod';
import { moment } from '../../saga/http/answers.ts';
import { schemaFaults } from '../../saga/input/schema-faults.ts';
import type { Path } from '../../saga/ports/store.ts';

/** What became of a letter: it waits for an operator, was sent back to its topic, or was given up. */
export const LETTER_STATUSES = ['parked', 'redriven', 'discarded'] as const;
export type LetterStatus = (typeof LETTER_STATUSES)[number];

const letterSchema = z.object({
  id: z.uuid(),
  status: z.enum(LETTER_STATUSES),
  reason: z.string(),
  /** The subscription where it could not be processed, and how often that was tried. */
  subscription: z.string(),
  attempts: z.int(),
  /** The topic of that subscription, to which a redrive sends it; absent if the topology does not know it. */
  topic: z.string().optional(),
  /** The order that it names, if any. */
  uuid: z.string().optional(),
  /** The broker's id of the message when it was first published; absent if unknown. */
  messageId: z.string().optional(),
  /** The earlier letter, if the message failed again after a redrive. */
  redriveOf: z.string().optional(),
  /** Pairs instead of a map, because an attribute may have a name that Firestore does not allow for a field. */
  attributes: z.array(z.object({ name: z.string(), value: z.string() })),
  /** The body, as text if it is UTF-8, otherwise in base64; cut at the limit. */
  body: z.string(),
  encoding: z.enum(['utf8', 'base64']),
  /** The size of the whole body. */
  bodyBytes: z.int(),
  /**
   * What happened to it, oldest first, as lines: "2026-01-02T03:04:05.678Z discarded by alice: Was a test". At most one for each
   * status, because nothing leads back to `parked`.
   */
  history: z.array(z.string()),
  createdAt: moment,
  /** When Firestore may delete the letter: later than any redelivery, which would otherwise park it again. */
  expireAt: moment,
});

/** A message that could not be processed, kept for operators to look at. */
export type DeadLetter = Readonly<z.output<typeof letterSchema>>;

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

/** A line of a letter's history. @param operator who did it, if the name is known. */
export function letterLine(at: Date, status: LetterStatus, note?: string, operator?: string): string {
  const who = operator === undefined ? '' : ` by ${operator}`;
  const why = note === undefined ? '' : ` ${note}`;
  return `${at.toISOString()} ${status}${who}${who !== '' && why !== '' ? ':' : ''}${why}`;
}

/** What a list has of a letter, without what may be large or is of no use to operators. */
const outlineSchema = letterSchema.omit({ attributes: true, body: true, encoding: true, expireAt: true });
export const OUTLINE_FIELDS = Object.keys(outlineSchema.shape);
export type LetterOutline = Readonly<z.output<typeof outlineSchema>>;

/** A letter that can't be right: it was edited by hand. */
const malformedSchema = z.object({
  id: z.unknown(),
  faults: z.array(z.string()),
  letter: z.looseObject({}),
});
/** A letter as operators see it, by itself and in a list. */
export const wholeLetter = letterSchema.extend({ attributes: z.record(z.string(), z.string()) });
export const letterView = z.union([wholeLetter, malformedSchema]);
export const outlineView = z.union([outlineSchema, malformedSchema]);

/** Why a letter can't be right, as a sentence; undefined if it can. */
export function malformed(letter: DeadLetter): string | undefined {
  const faults = faultsIn(letterSchema, letter);
  return faults.length > 0 ? `The letter is malformed: ${faults.join('; ')}` : undefined;
}

function faultsIn<Schema extends z.ZodType>(schema: Schema, letter: z.output<Schema>): string[] {
  const { error } = schema.safeEncode(letter);
  return error ? schemaFaults(error) : [];
}

export function viewOf(letter: DeadLetter) {
  const faults = faultsIn(letterSchema, letter);
  return faults.length > 0
    ? { id: letter.id, faults, letter }
    : {
        ...letter,
        attributes: Object.fromEntries(letter.attributes.map(({ name, value }) => [name, value])),
      };
}

export function outlineOf(letter: LetterOutline) {
  const faults = faultsIn(outlineSchema, letter);
  return faults.length > 0 ? { id: letter.id, faults, letter } : letter;
}
