import { z } from 'zod';
import { type Caller, customerAskedFor } from '../saga/http/caller.ts';
import { LAST_EVENT_ID, type Route, route, type ServerEvent, STAYS } from '../saga/http/http.ts';
import { nameSchema } from '../saga/input/name.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { isTombstone, readLedger } from '../saga/ledger/read-ledger.ts';
import type { Store } from '../saga/ports/store.ts';
import type { Saga } from '../saga/step/saga.ts';
import type { LiveEvent, LiveOrders } from './live-orders.ts';
import { countOrders } from './order-counts.ts';
import { tracked, trackedSchema } from './order-view.ts';

const numbers = (saga: Saga) => z.partialRecord(z.enum(saga.statuses), z.int());

/** All orders as they move on. */
export const liveRoute = (saga: Saga, live: LiveOrders): Route =>
  route({
    method: 'GET',
    path: '/events',
    summary: 'All orders as they move on, as server-sent events',
    audience: 'customers',
    query: z.strictObject({
      user: nameSchema.optional(),
      status: z.enum(saga.statuses, { error: `must be one of ${saga.statuses.join(', ')}` }).optional(),
      counts: z.literal('true', { error: 'must be true, or left out' }).optional(),
    }),
    answer: z.string(),
    events: {
      order: trackedSchema(saga),
      tally: z.object({ entered: numbers(saga), left: numbers(saga), skipped: z.int() }),
      counts: numbers(saga),
    },
    headers: { [LAST_EVENT_ID]: 'The id of the last event that was read: what moved since is shown first' },
    responses: {
      200: 'Orders that have moved, each in its newest state, or with `status` those that came to it or left it; and a `tally` of how often orders came to each status and left it since the stream began, with the number of orders that were left out because too many moved. With `counts=true` also `counts`: how many orders were in each status when the tally began; add what it says came, and subtract what left. `counts` is sent twice: the second, some seconds later, includes what was committed just as the counting began, and is exact',
      403: 'The orders of another customer than the token were asked for',
      503: 'The store does not answer, or too many streams are open; try again',
    },
    async handle({ query: { user, status, counts }, header, caller, left = STAYS }) {
      const since = new Date(header(LAST_EVENT_ID) ?? '');
      const known = Number.isNaN(since.getTime()) ? undefined : since;
      const asked = { user: customerAskedFor(caller, user), status, since: known, counts: counts === 'true' };
      const events = await live.follow(asked, left);
      return { status: 200, events: eventsOf(saga, events, caller) };
    },
  });

async function* eventsOf(
  saga: Saga,
  events: AsyncIterable<LiveEvent>,
  caller: Caller | undefined,
): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    if ('tally' in event) yield { event: 'tally', data: event.tally };
    else if ('counts' in event) yield { event: 'counts', data: event.counts };
    else if (isListed(saga, event.ledger)) {
      yield {
        event: 'order',
        id: event.ledger.movedAt.toISOString(),
        data: tracked(saga, event.ledger, caller),
      };
    }
  }
}

/** As in the lists. */
const isListed = (saga: Saga, ledger: Ledger): boolean =>
  'ledger' in readLedger(saga, ledger.uuid, ledger) && !isTombstone(saga, ledger);

/** How many orders there are. */
export const countsRoute = (saga: Saga, store: Store): Route => {
  const count = shared(async (user: string | undefined) =>
    countOrders(await store.snapshot(), { statuses: saga.statuses, user }),
  );
  return route({
    method: 'GET',
    path: '/orders/counts',
    summary: 'How many orders there are in each status',
    audience: 'customers',
    query: z.strictObject({ user: nameSchema.optional() }),
    answer: z.object({ counts: z.record(z.enum(saga.statuses), z.int()) }),
    responses: {
      200: 'The number for each status, all as of one moment. Failures of orders that never came are among the canceled ones',
      403: 'The orders of another customer than the token were asked for',
      503: 'The store does not answer; try again',
    },
    async handle({ query, caller }) {
      return { status: 200, body: { counts: await count(customerAskedFor(caller, query.user)) } };
    },
  });
};

/** Counting reads the index of every order, so whoever asks while it is under way gets the same answer. */
function shared<Key, Answer>(work: (key: Key) => Promise<Answer>): (key: Key) => Promise<Answer> {
  const underWay = new Map<Key, Promise<Answer>>();
  return (key) => {
    const answer = underWay.get(key) ?? work(key).finally(() => underWay.delete(key));
    underWay.set(key, answer);
    return answer;
  };
}
