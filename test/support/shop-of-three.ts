import { reserveStock } from '../../inventory/reserve-stock.ts';
import { notifier } from '../../notifier/service.ts';
import { createOrder } from '../../order/create-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import { type OrderLedger, pipeline, type Status } from '../../pipeline.ts';
import { defineSaga } from '../../saga/step/saga.ts';
import { aLedgerThatIs } from './builders.ts';

/**
 * The shop with three steps, whatever else the pipeline has by now. It is for specs that spell out what those three leave
 * behind, so that a further step does not change what they say; nor does the notifier, which leaves nothing behind.
 * None of them waits: where a step does, its own spec says what comes of it.
 */
const { resumption: _, ...noWaits } = pipeline;
const { waits: __, ...reserveAtOnce } = reserveStock;
const steps = [createOrder, reserveAtOnce as typeof reserveStock, chargeCustomer] as const;
const services = pipeline.services.filter((service) => service !== notifier);
const readers: readonly string[] = ['people', ...[...steps, ...services].map(({ name }) => name)];
export const shopOfThree = defineSaga({
  ...noWaits,
  steps,
  services,
  subscriptions: Object.fromEntries(
    Object.entries(pipeline.subscriptions).filter(([, reader]) => readers.includes(reader)),
  ),
});

/** The ledger of an order that has no other steps, once it has come so far. */
export const aLedgerOfThree = (status: Status, fields: Partial<OrderLedger> = {}): OrderLedger =>
  aLedgerThatIs(status, fields, shopOfThree);
