import type { Documents, Write } from '../commit/documents.ts';
import type { SagaMessage } from '../deliver/message.ts';
import type { Party, Saga } from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';

/** What became of one message, in one word. */
export type Outcome =
  /** The step was done. */
  | 'accepted'
  /** The step said no, and the order is failing. */
  | 'refused'
  /** The step was done already; nothing was done again. */
  | 'duplicate'
  /** The order is failing or canceled; nothing was done. */
  | 'fenced'
  /** The order is not where this message could do anything: not failing, so nothing is to be compensated; or not here yet. */
  | 'ignored'
  /** Everything that was done has been undone. */
  | 'compensated'
  /** The ledger stood still; what it calls for is published again. */
  | 'redriven'
  /** The message can't be processed, now or ever. */
  | 'parked';

/** What a party makes of one message. */
export interface Turn {
  readonly outcome: Outcome;
  /** Changes to documents other than the ledger. */
  readonly writes: readonly Write[];
  /** The ledger as it is afterwards; the one that was given where nothing changes. */
  readonly saga?: Saga;
  /** Publish what the ledger calls for, whoever left it where it stands. */
  readonly redrive?: true;
  /** For people, in the log and on the dead-letter desk. */
  readonly detail?: string;
}

/** How one party reacts to the messages of one topic. Both functions are pure. */
export interface Reaction {
  readonly name: Party;
  /**
   * The documents that are needed besides the ledger. Asked first without the ledger, when what the message says
   * is only a hint of what to fetch along with it, then with the ledger, which decides.
   */
  reads(saga: Saga | undefined, message: SagaMessage): readonly Path[];
  react(saga: Saga | undefined, message: SagaMessage, documents: Documents, now: Date): Turn;
}
