import type { Path } from '../../saga/ports/store.ts';

/** What an audit found, small enough to print and send: each list is cut at its limit, and counted in full. */
export interface AuditReport {
  readonly checkedAt: Date;
  readonly counts: AuditCounts;
  /** What must not be. */
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  /** Orders that should move on and don't. */
  readonly stuck: readonly StuckOrder[];
  readonly stuckCount: number;
}

/** How many there are of everything. */
export interface AuditCounts {
  readonly orders: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Accounts and records, by the names of their kinds. */
  readonly documents: Readonly<Record<string, number>>;
  /** Dead letters that wait for an operator. */
  readonly deadLettersParked: number;
}

export type ViolationKind =
  /** A ledger is malformed, or says what no ledger can say. */
  | 'ledger'
  /** The document of an account is malformed. */
  | 'document'
  /** The ledger says that a step is done, but its record is not there. */
  | 'missing-record'
  /** A record differs from what the ledger says. */
  | 'wrong-record'
  /** A record exists although no ledger says so. */
  | 'stray-record'
  /** What is left and what is held do not add up to what was loaded. */
  | 'total';

export interface Violation {
  readonly kind: ViolationKind;
  /** The document that is wrong or missing. */
  readonly path: Path;
  /** What is wrong, as a whole sentence. */
  readonly sentence: string;
  /** The order that the record belongs to, and its status; absent if no ledger tells. */
  readonly uuid?: string;
  readonly status?: string;
  /** For a total: how to correct it, if that is known. */
  readonly correction?: Correction;
  /** For a total: other violations leave in doubt what is held. Once they are repaired, it may be right, or can be corrected. */
  readonly inDoubt?: true;
}

/** A difference that makes a total add up. */
export interface Correction {
  readonly field: string;
  readonly by: number;
  /** How often the document had been corrected. A repair that finds another number comes too late. */
  readonly corrections: number;
}

export interface StuckOrder {
  readonly uuid: string;
  readonly status: string;
  /** When it got that status. */
  readonly since: Date;
  readonly repeats: number;
  readonly sentence: string;
  /** The message that would move it on, as it must be published. */
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
