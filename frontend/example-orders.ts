import { DEADLINE_SECONDS } from '../saga/ledger/deadline.ts';
import { fail, type Ledger, receive } from '../saga/ledger/ledger.ts';
import type { Saga } from '../saga/step/saga.ts';
import { ORDER_EXAMPLES, orderSchema } from '../shop/order.ts';
import { CUSTOMER_CANCELS } from './cancel-order.ts';

/** What becomes of the first example of an order, for the descriptions of answers: once it was accepted, and once it was canceled. */
export function exampleOrders(saga: Saga): { readonly accepted: Ledger; readonly canceled: Ledger } {
  const at = new Date('2026-01-02T03:04:05.678Z');
  const order = orderSchema.parse(ORDER_EXAMPLES[0]);
  const accepted = receive(saga, EXAMPLE_UUID, order, CUSTOMER_CANCELS.by, at, DEADLINE_SECONDS);
  const now = new Date(at.getTime() + 60_000);
  return { accepted, canceled: fail(saga, accepted, { ...CUSTOMER_CANCELS, now }) };
}

const EXAMPLE_UUID = '11111111-1111-4111-8111-111111111111';
