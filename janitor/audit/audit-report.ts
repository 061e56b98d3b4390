import type { Status } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';

/** What an audit found, small enough to be printed and sent: each list is cut at its limit, and counted in full. */
export interface AuditReport {
  readonly checkedAt: Date;
  readonly counts: AuditCounts;
  /** What must not be. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** Orders to which something must happen, and does not. */
  readonly stuck: readonly StuckOrder[];
  readonly stuckCount: number;
  /** What could not be checked, and why. */
  readonly notices: readonly string[];
  readonly noticeCount: number;
}

/** How many there are of everything. */
export interface AuditCounts {
  readonly orders: number;
  readonly byStatus: Readonly<Partial<Record<Status, number>>>;
  readonly items: number;
  readonly users: number;
  readonly orderRecords: number;
  readonly reservations: number;
  readonly invoices: number;
  /** Dead letters that wait for somebody to look at them. */
  readonly deadLettersParked: number;
}

export type ViolationKind =
  /** A ledger is malformed, or says what no ledger can say. */
  | 'ledger'
  /** An item, a customer or a record is malformed. */
  | 'document'
  /** The ledger says that a step is done, but its record is not there. */
  | 'missing-record'
  /** A record is there, but says something else than the ledger. */
  | 'wrong-record'
  /** A record is there, but no ledger says so. */
  | 'stray-record'
  /** What is left and what is held do not add up to what was loaded. */
  | 'total';

export interface Violation {
  readonly kind: ViolationKind;
  /** The document that is wrong, or that is missing. */
  readonly path: Path;
  /** What is wrong, as a whole sentence. */
  readonly sentence: string;
  /** Whose record it is, and the status of that order; absent where no ledger tells. */
  readonly uuid?: string;
  readonly status?: Status;
  /** Of a total: how to correct it, where that can be told. */
  readonly correction?: Correction;
  /** Of a total: other violations leave in doubt what is held; once they are mended, it may be right or corrected. */
  readonly inDoubt?: true;
}

/** A difference that makes a total add up. */
export interface Correction {
  readonly field: 'quantity' | 'credit';
  readonly by: number;
  /** How often the document had been corrected: whoever finds another number comes too late. */
  readonly corrections: number;
}

export interface StuckOrder {
  readonly uuid: string;
  readonly status: Status;
  /** Since when it stands there. */
  readonly since: Date;
  readonly redrives: number;
  readonly sentence: string;
  /** The message that would bring it on, as it must be published. */
  readonly missing: {
    readonly topic: string;
    readonly attributes: Readonly<Record<string, string>>;
    /** The JSON text. */
    readonly data: string;
  };
}

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
