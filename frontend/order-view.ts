import { z } from 'zod';
import { snapshot } from '../saga/deliver/message.ts';
import { moment, snapshotSchema, transitionSchema } from '../saga/http/answers.ts';
import { type Caller, transitionSeenBy } from '../saga/http/caller.ts';
import { deadlineOf } from '../saga/ledger/deadline.ts';
import { transitionsOf } from '../saga/ledger/history.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { oncePerSaga } from '../saga/step/once-per-saga.ts';
import type { Saga } from '../saga/step/saga.ts';
import { tookOf } from '../saga/step/took.ts';

/** An order as its customer sees it: its snapshot, and how it came about. */
export const trackedSchema = oncePerSaga((saga: Saga) =>
  snapshotSchema(saga).extend({
    createdAt: moment,
    updatedAt: moment,
    deadlineAt: moment.optional(),
    history: z.array(transitionSchema(saga)),
  }),
);

export function tracked(saga: Saga, ledger: Ledger, caller: Caller | undefined): object {
  const history = transitionsOf(ledger).map((one) => transitionSeenBy(caller, one));
  const deadlineAt = deadlineOf(saga, ledger);
  return {
    ...snapshot(saga, ledger),
    createdAt: ledger.createdAt,
    updatedAt: history.at(-1)?.at,
    ...(deadlineAt && { deadlineAt }),
    history,
  };
}

const step = z.string();
const kind = z.string();

/** One order alone: also what each step made it hold. */
export const detailedSchema = oncePerSaga((saga: Saga) =>
  trackedSchema(saga).extend({
    took: z.array(
      z.union([
        z.strictObject({ step, kind, name: z.string(), amount: z.int() }),
        z.strictObject({ step, kind, path: z.string() }),
      ]),
    ),
  }),
);

export const detailed = (saga: Saga, ledger: Ledger, caller: Caller | undefined): object => ({
  ...tracked(saga, ledger, caller),
  took: tookOf(saga, ledger),
});
