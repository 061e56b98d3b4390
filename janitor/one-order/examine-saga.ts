import { z } from 'zod';
import { moment, transitionSchema } from '../../saga/http/answers.ts';
import { deadlineOf } from '../../saga/ledger/deadline.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import type { Ledger } from '../../saga/ledger/ledger.ts';
import type { Store } from '../../saga/ports/store.ts';
import { holdsOf, isAmount, recordsIn } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { outlineView } from '../desk/letter.ts';
import { lettersOfOrder } from '../desk/list-letters.ts';

/** Everything that is known about one order. */
export const examinationSchema = (saga: Saga) =>
  z.object({
    ledger: z.looseObject({
      uuid: z.uuid(),
      status: z.enum(saga.statuses),
      sweepAt: moment.nullable(),
      repeats: z.int().exactOptional(),
      forkOf: z.object({ uuid: z.uuid(), at: moment }).exactOptional(),
      forks: z.array(z.uuid()).exactOptional(),
    }),
    timeline: z.array(transitionSchema(saga)),
    /** The topic on which the ledger, as it stands, is announced. */
    callsFor: z.string(),
    /** When its stage is too late; absent if it may take any time, or if the order rests. */
    deadline: moment.exactOptional(),
    /** What it holds: amounts of accounts, and records, which should exist. */
    holds: z.array(
      z.object({
        kind: z.string(),
        path: z.string(),
        amount: z.int().exactOptional(),
        exists: z.boolean().exactOptional(),
      }),
    ),
    /** The newest letters on the desk that name it. */
    letters: z.array(outlineView),
  });

/** What is known if the ledger can't be believed. */
export const malformedSchema = z.object({
  uuid: z.uuid(),
  faults: z.array(z.string()),
  ledger: z.looseObject({}),
  letters: z.array(outlineView),
});

/** Gathers what is known about an order. It only reads, and what it reads may be of different moments. */
export async function examineSaga(saga: Saga, store: Store, ledger: Ledger) {
  const holds = holdsOf(saga, ledger);
  const [found, letters] = await Promise.all([
    store.read(recordsIn(holds).map(({ path }) => path)),
    lettersOfOrder(store, ledger.uuid),
  ]);
  const deadline = deadlineOf(saga, ledger);
  return {
    ledger,
    timeline: transitionsOf(ledger),
    callsFor: saga.topicFor(ledger),
    ...(deadline && { deadline }),
    holds: holds.map((hold) =>
      isAmount(hold)
        ? { kind: hold.account.name, path: hold.path, amount: hold.amount }
        : { kind: hold.record.name, path: hold.path, exists: found.has(hold.path) },
    ),
    letters,
  };
}
