import { deadlineOf } from '../../saga/ledger/deadline.ts';
import { type Transition, transitionsOf } from '../../saga/ledger/history.ts';
import { FAILING, type Ledger } from '../../saga/ledger/ledger.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { holdsOf, isAmount } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { type LetterOutline, lettersOfOrder } from '../desk/list-letters.ts';

/** A transition, and why it happened if the ledger says so. */
export interface Cause extends Transition {
  readonly reason?: string;
  readonly detail?: string;
}

/** One thing that an order holds: an amount of an account, or a record, which should exist. */
export interface HeldHere {
  readonly kind: string;
  readonly path: Path;
  readonly amount?: number;
  readonly exists?: boolean;
}

/** Everything that is known about one order. */
export interface Examination {
  readonly ledger: Ledger;
  readonly timeline: readonly Cause[];
  /** The topic on which the ledger, as it stands, is announced. */
  readonly callsFor: string;
  /** When its stage is too late; absent if it may take any time, or if the order rests. */
  readonly deadline?: Date;
  /** What it holds: amounts of accounts, and records. */
  readonly holds: readonly HeldHere[];
  /** The newest letters on the desk that name it. */
  readonly letters: readonly LetterOutline[];
}

/** The most letters that are shown of one order. */
export const LETTERS_MAX = 20;

/** Gathers what is known about an order. It only reads, and what it reads may be of different moments. */
export async function examineSaga(saga: Saga, store: Store, ledger: Ledger): Promise<Examination> {
  const holds = holdsOf(saga, ledger);
  const [found, letters] = await Promise.all([
    store.read(holds.flatMap((hold) => (isAmount(hold) ? [] : [hold.path]))),
    lettersOfOrder(store, ledger.uuid, LETTERS_MAX),
  ]);
  const deadline = deadlineOf(saga, ledger);
  return {
    ledger,
    timeline: timelineOf(ledger),
    callsFor: saga.topicOf(ledger.status),
    ...(deadline && { deadline }),
    holds: holds.map((hold) =>
      isAmount(hold)
        ? { kind: hold.account.name, path: hold.path, amount: hold.amount }
        : { kind: hold.record.name, path: hold.path, exists: found.has(hold.path) },
    ),
    letters,
  };
}

function timelineOf(ledger: Ledger): Cause[] {
  const { reason, detail } = ledger;
  return transitionsOf(ledger).map((transition) =>
    transition.status === FAILING
      ? { ...transition, ...(reason && { reason }), ...(detail && { detail }) }
      : transition,
  );
}
