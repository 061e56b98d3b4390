import { z } from 'zod';
import { transitionSchema } from '../saga/http/answers.ts';
import { assertMayAct, transitionSeenBy } from '../saga/http/caller.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { pageParameters } from '../saga/http/page.ts';
import { isName } from '../saga/input/name.ts';
import { transitionsOf } from '../saga/ledger/history.ts';
import { listLedgers } from '../saga/ledger/list-ledgers.ts';
import type { Store } from '../saga/ports/store.ts';
import type { Saga } from '../saga/step/saga.ts';

/**
 * What happened to the orders of one customer. It is read from their histories, so a page is a page of orders: the newest order
 * comes first, and of each order what happened last. Events of different orders are not mixed, because the next page would have
 * some that belong between those of this one.
 */
export const customerEventsRoute = (saga: Saga, store: Store): Route =>
  route({
    method: 'GET',
    path: '/users/{user}/events',
    summary: "What happened to a customer's orders, the newest order first, a page of orders at a time",
    audience: 'customers',
    query: z.strictObject(pageParameters),
    answer: z.object({
      events: z.array(transitionSchema(saga).extend({ uuid: z.uuid() })),
      next_page: z.string().optional(),
    }),
    responses: {
      200: 'The events of as many orders as limit says; next_page leads to the orders before them',
      403: 'They are those of another customer than the token',
      404: 'No customer has such a name',
    },
    async handle({ params: { user = '' }, query: { limit, page }, caller }) {
      assertMayAct(caller, user);
      if (!isName(user)) throw notFound(`There is no user ${user}`);
      const { orders, nextPage } = await listLedgers(saga, store, { user }, limit, page);
      const events = orders.flatMap((ledger) =>
        transitionsOf(ledger)
          .toReversed()
          .map((one) => ({ uuid: ledger.uuid, ...transitionSeenBy(caller, one) })),
      );
      return { status: 200, body: { events, ...(nextPage && { next_page: nextPage }) } };
    },
  });
