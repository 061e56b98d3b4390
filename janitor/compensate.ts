import { reserveStock } from '../inventory/reserve-stock.ts';
import { createOrder } from '../order/create-order.ts';
import { chargeCustomer } from '../payments/charge-customer.ts';
import { Draft } from '../saga/commit/documents.ts';
import {
  completeCompensation,
  doneSteps,
  type Saga,
  type StepName,
  tombstone,
} from '../saga/ledger/ledger.ts';
import type { Reaction } from '../saga/step/reaction.ts';
import type { Step } from '../saga/step/step.ts';

/** All steps, by their names. */
export const steps: Readonly<Record<StepName, Step>> = {
  order: createOrder,
  inventory: reserveStock,
  payments: chargeCustomer(),
};

/**
 * Compensation: undoes exactly the steps that the ledger records as done, last one first, and cancels the order, all
 * in one commit. It acts on the ledger's state, never on the claim in a message: an order that is not failing stays
 * as it is, and one that nobody knows is fenced by a tombstone.
 */
export const compensate: Reaction = {
  name: 'janitor',

  reads(saga, message) {
    if (saga === undefined) return message.order ? allReads(message.order, Object.values(steps)) : [];
    return saga.status === 'FAILING' ? allReads(saga, stepsToUndo(saga)) : [];
  },

  react(saga, { uuid, reason, trace }, documents, now) {
    if (saga === undefined) {
      const detail = 'The order failed before anybody knew it';
      return {
        outcome: 'fenced',
        writes: [],
        saga: tombstone(uuid, reason ?? 'INVALID_ORDER', detail, now, trace),
        detail,
      };
    }
    if (saga.status === 'CANCELED') return { outcome: 'duplicate', writes: [], saga };
    if (saga.status !== 'FAILING') {
      return { outcome: 'ignored', writes: [], saga, detail: `The order is ${saga.status}, not failing` };
    }
    const undone = new Draft(documents);
    for (const step of stepsToUndo(saga).toReversed()) undone.add(step.undo(saga, undone));
    return { outcome: 'compensated', writes: undone.writes, saga: completeCompensation(saga, now) };
  },
};

const stepsToUndo = (saga: Saga): Step[] => doneSteps(saga).map((name) => steps[name]);

const allReads = (order: Parameters<Step['reads']>[0], of: readonly Step[]) =>
  of.flatMap((step) => step.reads(order));
