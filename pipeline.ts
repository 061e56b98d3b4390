import { deliverOrder } from './delivery/deliver-order.ts';
import { frontend } from './frontend/service.ts';
import { reserveStock } from './inventory/reserve-stock.ts';
import { janitor } from './janitor/service.ts';
import { notifier } from './notifier/service.ts';
import { orchestrator } from './orchestrator/service.ts';
import { createOrder } from './order/create-order.ts';
import { chargeCustomer } from './payments/charge-customer.ts';
import { defineSaga, type LedgerOf, type ReasonOf, type StatusOf, type TopicOf } from './saga/step/saga.ts';
import { order } from './shop/order.ts';

/**
 * The saga of this shop. Start reading here: an order passes the steps in this order, and each step says on one screen
 * everything about itself. Statuses, topics, reasons, documents, services and the files in `infra/` follow from this value.
 */
export const pipeline = defineSaga({
  name: 'order-saga',
  order,

  entry: { topic: 'frontend', says: 'an order was accepted' },
  steps: [
    createOrder, //    the customer exists, and gets a record of the order
    reserveStock, //   every line is reserved at today's price
    chargeCustomer, // the order is invoiced and charged
    deliverOrder, //   the units leave the stock, and a courier brings them
  ],
  resumption: { topic: 'order-resumed', says: 'the word came for which the order waited' },
  pause: { topic: 'order-paused', says: 'an operator has stopped the order before its next step' },
  workflow: { topic: 'workflow', says: 'an orchestrated order goes on' },
  failure: { topic: 'error', says: 'a step refused the order, somebody canceled it, or a deadline passed' },
  end: { topic: 'order-canceled', says: 'the order is canceled and holds nothing any more' },

  reasons: ['INVALID_ORDER', 'CANCELED_BY_CUSTOMER'],
  unknownReason: 'INVALID_ORDER',
  services: [frontend, janitor, orchestrator, notifier],

  // These never change their reader. A new reader gets {topic}-{service}-sub; list that here once another step is put in
  // front of it.
  subscriptions: {
    'frontend-sub': 'order',
    'order-created-sub': 'inventory',
    'inventory-updated-sub': 'payments',
    'payment-created-sub': 'people',
    'delivery-updates-sub': 'delivery',
    'error-sub': 'janitor',
    'workflow-sub': 'orchestrator',
    'dead-letter-sub': 'janitor',
  },
});

export type Status = StatusOf<typeof pipeline>;
export type Topic = TopicOf<typeof pipeline>;
export type Reason = ReasonOf<typeof pipeline>;
export type OrderLedger = LedgerOf<typeof pipeline>;
