import { z } from 'zod';
import { transitionSchema } from '../saga/http/answers.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { pageParameters } from '../saga/http/page.ts';
import { isName } from '../saga/input/name.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { listLedgers } from '../saga/ledger/list-ledgers.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { movementsOf } from '../saga/step/movements.ts';
import type { Saga } from '../saga/step/saga.ts';
import { money } from '../shop/lines.ts';
import type { ShopLedger } from '../shop/order.ts';
import { sales } from '../shop/sales.ts';
import { stock } from '../shop/stock.ts';

const movementSchema = (saga: Saga) =>
  transitionSchema(saga).pick({ at: true, status: true, by: true, person: true }).extend({
    uuid: z.uuid(),
    /** By how much each figure of the item changed: what was available, reserved and sold. */
    quantity: z.int(),
    reserved: z.int(),
    sold: z.int(),
    price_per_unit: money,
  });

/**
 * What moved the stock of an item: reserved, sold, given back. It is read from the ledgers of the orders that mention the item, so
 * a page is a page of orders, as in the events of a customer. What operators change is no order's, and has its own journal.
 */
export const stockMovementsRoute = (saga: Saga, store: Store): Route =>
  route({
    method: 'GET',
    path: '/inventory/{item}/movements',
    summary:
      'What orders moved of an item, the newest order first, a page of orders at a time; what operators changed is at /inventory/{item}/changes',
    // It tells the orders of all customers.
    audience: 'operators',
    query: z.strictObject(pageParameters),
    answer: z.object({ movements: z.array(movementSchema(saga)), next_page: z.string().optional() }),
    responses: {
      200: 'What as many orders as limit says have moved; next_page leads to the orders before them',
      404: 'No such item',
    },
    async handle({ params: { item = '' }, query: { limit, page } }) {
      if (!isName(item) || !(await readOne(store, stock.of(item).path)))
        throw notFound(`There is no item ${item}`);
      const { orders, nextPage } = await listLedgers(saga, store, { mentions: item }, limit, page);
      const movements = orders.flatMap((ledger) => movedBy(saga, ledger, item).toReversed());
      return { status: 200, body: { movements, ...(nextPage && { next_page: nextPage }) } };
    },
  });

/** What an order moved of an item, the oldest first. */
function movedBy(saga: Saga, ledger: Ledger, item: string) {
  const { lines = [], offered = [] }: ShopLedger = ledger;
  const line = [...lines, ...offered].find((one) => one.item === item);
  // Without a price, none of it was ever reserved.
  if (line === undefined) return [];
  const { uuid } = ledger;
  return movementsOf(saga, ledger, [stock.of(item), sales.of(item)]).map(({ transition, amounts }) => {
    const [taken = 0, counted = 0] = amounts;
    const { at, status, by, person } = transition;
    return {
      ...{ uuid, at, status, by, person },
      quantity: 0 - taken,
      // What the sales count was given, and is no longer reserved.
      reserved: taken + counted,
      sold: 0 - counted,
      price_per_unit: line.price_per_unit,
    };
  });
}
