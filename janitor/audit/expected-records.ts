import { reservationPath } from '../../inventory/documents.ts';
import { orderRecordPath } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import { doneSteps, priceOf, type Saga, type StepName } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { steps } from '../compensate.ts';

/** A record that must exist, and what it must hold. */
export interface ExpectedRecord {
  readonly path: Path;
  readonly fields: object;
}

/**
 * The records of the steps that a ledger says are done, as its steps wrote them: all that they hold stands in the
 * ledger, too. So the ledger tells which records must exist, and which must not.
 * @param saga a ledger without faults.
 */
export const expectedRecords = (saga: Saga): readonly ExpectedRecord[] =>
  doneSteps(saga).flatMap((step) => recordsOfStep[step](saga));

const recordsOfStep: Readonly<Record<StepName, (saga: Saga) => ExpectedRecord[]>> = {
  order: (saga) => [
    {
      path: orderRecordPath(saga.user, saga.uuid),
      fields: {
        items: saga.items.map(({ item, quantity }) => ({ item, quantity })),
        ...(saga.paymentError !== undefined && { paymentError: saga.paymentError }),
        createdAt: momentOf(saga, 'order'),
      },
    },
  ],
  inventory: ({ uuid, items }) =>
    items.map((line) => ({
      path: reservationPath(line.item, uuid),
      fields: { quantity: line.quantity, price_per_unit: priceOf(line) },
    })),
  payments: (saga) => [
    {
      path: invoicePath(saga.uuid),
      fields: {
        user: saga.user,
        total_invoice: saga.total_invoice,
        ...(saga.charged !== undefined && { charged: saga.charged }),
        createdAt: momentOf(saga, 'payments'),
      },
    },
  ],
};

/** When a step was done. */
function momentOf(saga: Saga, step: StepName): Date {
  const done = transitionsOf(saga).find(({ status }) => status === steps[step].to);
  if (done === undefined) throw new Error(`The history of order ${saga.uuid} does not show the step ${step}`);
  return done.at;
}
