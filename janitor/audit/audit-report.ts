import { z } from 'zod';
import { moment } from '../../saga/http/answers.ts';

const count = z.int().min(0);

const violationSchema = z.object({
  kind: z.enum([
    /** A ledger is malformed, or says what no ledger can say. */
    'ledger',
    /** The document of an account is malformed. */
    'document',
    /** The ledger says that a step is done, but its record is not there. */
    'missing-record',
    /** A record differs from what the ledger says. */
    'wrong-record',
    /** A record exists although no ledger says so. */
    'stray-record',
    /** Orders hold something of an account that does not exist. */
    'missing-account',
    /** What is left and what is held do not add up to what was loaded. */
    'total',
  ]),
  /** The document that is wrong or missing. */
  path: z.string(),
  /** What is wrong, as a whole sentence. */
  sentence: z.string(),
  /** The order that the record belongs to, and its status; absent if no ledger tells. */
  uuid: z.string().exactOptional(),
  status: z.string().exactOptional(),
  /** For a total: the difference that makes it add up, if that is known. */
  correction: z
    .object({
      field: z.string(),
      by: z.int(),
      /** How often the document had been corrected. A repair that finds another number comes too late. */
      corrections: count,
    })
    .exactOptional(),
  /**
   * For a total: a document that leaves in doubt what is held, because it is a violation itself. Once that is mended, the total
   * may be right, or can be corrected.
   */
  inDoubtUntil: z.string().exactOptional(),
});

const stuckSchema = z.object({
  uuid: z.string(),
  status: z.string(),
  /** When it got that status. */
  since: moment,
  repeats: count,
  sentence: z.string(),
  /** The message that would move it on, as it must be published; `data` is its JSON text. Absent if only people can. */
  missing: z
    .object({
      topic: z.string(),
      attributes: z.record(z.string(), z.string()),
      data: z.string(),
    })
    .exactOptional(),
});

/** What an audit found, small enough to print and send: each list is cut at its limit, and counted in full. */
export const reportSchema = z.object({
  checkedAt: moment,
  counts: z.object({
    orders: count,
    byStatus: z.record(z.string(), count),
    /** Accounts and records, by the names of their kinds. */
    documents: z.record(z.string(), count),
    /** Dead letters that wait for an operator. */
    deadLettersParked: count,
  }),
  /** What must not be. */
  violations: z.array(violationSchema),
  violationCount: count,
  /** Orders that should move on and don't. */
  stuck: z.array(stuckSchema),
  stuckCount: count,
});

export type AuditReport = z.output<typeof reportSchema>;
export type Violation = z.output<typeof violationSchema>;
export type StuckOrder = z.output<typeof stuckSchema>;

/** How many entries of each kind a report lists. */
export const LISTED_MAX = 1_000;

/** A list that keeps the first entries and counts all. */
export class BoundedList<T> {
  readonly listed: T[] = [];
  count = 0;

  add(entry: T): void {
    this.count++;
    if (this.listed.length < LISTED_MAX) this.listed.push(entry);
  }
}
