import { create, remove } from '../saga/commit/documents.ts';
import { accept, refuse, type Step } from '../saga/step/step.ts';
import { orderRecordPath, userPath } from './documents.ts';

/** Step 1: the customer is known, and gets the order into their records. */
export const createOrder: Step = {
  name: 'order',
  from: 'RECEIVED',
  to: 'CREATED',

  reads: ({ user }) => [userPath(user)],

  decide({ uuid, user, items, paymentError }, documents, now) {
    if (documents.get(userPath(user)) === undefined) {
      return refuse('USER_NOT_FOUND', `There is no user ${user}`);
    }
    const record = { items, ...(paymentError !== undefined && { paymentError }), createdAt: now };
    return accept([create(orderRecordPath(user, uuid), record)]);
  },

  undo: ({ uuid, user }) => [remove(orderRecordPath(user, uuid))],
};
