import type { Documents, Write } from '../commit/documents.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';

/** What became of one message or one request, in one word. */
export type Outcome =
  /** The step was done. */
  | 'accepted'
  /** The step waits for a word from outside. */
  | 'waiting'
  /** The order waited, and goes on: a word was heard, or the clock. */
  | 'resumed'
  /** The word came too early, too late, or against another one, or what an operator asked for can't be; nothing was done. */
  | 'unheeded'
  /** The step said no, and the order is failing. */
  | 'refused'
  /** The step was done already; nothing was done again. */
  | 'duplicate'
  /** The order is failing or canceled; nothing was done. */
  | 'fenced'
  /** The message can't do anything here: the order has not come so far, or it is not failing, so there is nothing to compensate. */
  | 'ignored'
  /** Everything that the order held was given back. */
  | 'compensated'
  /** An operator has stopped the order, let it go on, passed over a step, or made a fork of it. */
  | 'steered'
  /** The order stood still; its message is published again. */
  | 'announced'
  /** The order rests, and some of what its ledger says was replaced. */
  | 'rewritten'
  /** A system outside was told of it. */
  | 'notified'
  /** A system outside wants to hear no more, and was not told again. */
  | 'unwanted'
  /** The message can't be processed, now or ever. */
  | 'parked';

/**
 * What is made of one ledger. It has no writes: what an order holds follows from its ledger, so the commit writes the
 * difference.
 */
export interface Turn {
  readonly outcome: Outcome;
  /** The ledger afterwards; if nothing changes, the one that was given. */
  readonly ledger?: Ledger;
  /** The ledger that the turn began with, if that was made in this very turn. */
  readonly from?: Ledger;
  /** If an account has too little left for it, nothing is done; otherwise the order is refused. */
  readonly isOptional?: true;
  /** Writes to other documents that belong to it, also if the ledger stays as it is. */
  readonly besides?: readonly Write[];
  /** Publish what the ledger calls for, no matter which party left it where it stands. */
  readonly announce?: true;
  /** For people, in the log and on the dead-letter desk. */
  readonly detail?: string;
}

/** A turn to take. Both functions are pure: they may run several times and leave one trace. */
export interface LedgerTask {
  readonly uuid: string;
  /** The uuid was just drawn, so there is no ledger yet and none need be read. */
  readonly isNew?: boolean;
  /**
   * The documents needed besides the ledger. Called without the ledger first, as a hint what to fetch along with it, then
   * with the ledger, and what is known by then.
   */
  reads?(ledger: Ledger | undefined, known: Documents): readonly Path[];
  take(ledger: Ledger | undefined, documents: Documents, now: Date): Turn;
}
