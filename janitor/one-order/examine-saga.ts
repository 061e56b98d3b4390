import { reservationPath } from '../../inventory/documents.ts';
import { orderRecordPath } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { deadlineOf } from '../../saga/ledger/deadline.ts';
import { type Transition, transitionsOf } from '../../saga/ledger/history.ts';
import { type EmissionTopic, emissionFor, type Saga } from '../../saga/ledger/ledger.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { type LetterOutline, lettersOfOrder } from '../desk/list-letters.ts';

/** A transition, and why it happened where the ledger knows. */
export interface Cause extends Transition {
  readonly reason?: string;
  readonly detail?: string;
}

/** All that is known of one order. */
export interface Examination {
  readonly ledger: Saga;
  readonly timeline: readonly Cause[];
  /** The topic on which the ledger, as it stands, is announced. */
  readonly callsFor: EmissionTopic;
  /** When its stage is too late; absent where it may take as long as it must, or where the order rests. */
  readonly deadline?: Date;
  /** The records of its steps that exist. */
  readonly records: readonly Path[];
  /** The newest letters on the desk that name it. */
  readonly letters: readonly LetterOutline[];
}

/** How many letters are told of one order. */
export const LETTERS_MAX = 20;

/** Gathers what is known of an order. It only reads; what it reads may be of different moments. */
export async function examineSaga(store: Store, ledger: Saga): Promise<Examination> {
  const { uuid } = ledger;
  const paths = recordPaths(ledger);
  const [found, letters] = await Promise.all([store.read(paths), lettersOfOrder(store, uuid, LETTERS_MAX)]);
  const deadline = deadlineOf(ledger);
  return {
    ledger,
    timeline: timelineOf(ledger),
    callsFor: emissionFor(ledger),
    ...(deadline && { deadline }),
    records: paths.filter((path) => found.has(path)),
    letters,
  };
}

function recordPaths({ uuid, user, items }: Saga): Path[] {
  // The tombstone of an order that nobody knew names no user.
  const record = user === '' ? [] : [orderRecordPath(user, uuid)];
  return [...record, ...items.map(({ item }) => reservationPath(item, uuid)), invoicePath(uuid)];
}

function timelineOf(ledger: Saga): Cause[] {
  const { reason, detail } = ledger;
  return transitionsOf(ledger).map((transition) =>
    transition.status === 'FAILING'
      ? { ...transition, ...(reason && { reason }), ...(detail && { detail }) }
      : transition,
  );
}
