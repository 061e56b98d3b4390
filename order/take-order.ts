import { receive } from '../saga/ledger/ledger.ts';
import type { Reaction } from '../saga/step/reaction.ts';
import { reactionOf, take } from '../saga/step/step.ts';
import { createOrder } from './create-order.ts';

const step = reactionOf(createOrder);

/**
 * What the order service does with a message on the topic `frontend`. An order that came through the frontend has
 * a ledger; one that was published straight to the topic gets it here, in the same commit as its record.
 * @param deadlineSeconds how long each stage of such an order may take.
 */
export const takeOrder = (deadlineSeconds: number): Reaction => ({
  ...step,
  react(saga, message, documents, now) {
    if (saga !== undefined) return step.react(saga, message, documents, now);
    const { uuid, order, orderFault, trace } = message;
    if (order === undefined) {
      return { outcome: 'parked', writes: [], detail: `The message is not an order: ${orderFault}` };
    }
    return take(createOrder, receive(uuid, order, 'order', now, deadlineSeconds, trace), documents, now);
  },
});
