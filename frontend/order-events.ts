import { z } from 'zod';
import type { Caller } from '../saga/http/caller.ts';
import { LAST_EVENT_ID, type Route, route, type ServerEvent, STAYS } from '../saga/http/http.ts';
import { ledgerOf, malformedLedger, maySee } from '../saga/http/one-order.ts';
import { waitFor } from '../saga/http/wait-for.ts';
import { hasEnded } from '../saga/ledger/deadline.ts';
import { ledgerPath } from '../saga/ledger/ledger.ts';
import { readLedger } from '../saga/ledger/read-ledger.ts';
import type { Store, StoreError } from '../saga/ports/store.ts';
import type { Saga } from '../saga/step/saga.ts';
import { detailed, detailedSchema } from './order-view.ts';

/** What happens to one order, as it happens. */
export const orderEventsRoute = (saga: Saga, store: Store, closing: AbortSignal): Route =>
  route({
    method: 'GET',
    path: '/order/{uuid}/events',
    summary: 'An order as it moves on, as server-sent events until its end',
    audience: 'customers',
    answer: z.string(),
    events: { order: detailedSchema(saga), end: z.object({ status: z.enum(saga.statuses) }) },
    headers: { [LAST_EVENT_ID]: 'The number of transitions that are known already' },
    responses: {
      200: 'The order as it is, again with each transition, and `end` once nothing follows; the id of an event is the number of transitions',
      404: 'No such order',
      500: 'The order cannot be shown: its ledger is malformed, and operators have to mend it',
      503: 'The store does not answer, or too many streams are open; try again',
    },
    async handle({ params: { uuid = '' }, header, caller, left = STAYS }) {
      const read = await ledgerOf(saga, store, uuid, caller);
      if ('faults' in read) throw malformedLedger(uuid);
      const known = Number(header(LAST_EVENT_ID));
      const over = AbortSignal.any([left, closing]);
      return { status: 200, events: follow(saga, store, read.ledger.uuid, caller, known, over) };
    },
  });

/**
 * An order in each state that it comes to; states that follow fast may be left out, but no transition: the history has all.
 * @param known how many transitions the reader knows: the state after them is not told again.
 */
async function* follow(
  saga: Saga,
  store: Store,
  uuid: string,
  caller: Caller | undefined,
  known: number,
  over: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let newest: { readonly fields: object | undefined } | undefined;
  let failure: StoreError | undefined;
  let wake = () => {};
  const watching = store.watch(
    ledgerPath(uuid),
    (fields) => {
      newest = { fields };
      wake();
    },
    (error) => {
      failure = error;
      wake();
    },
  );
  try {
    let told = known;
    for (;;) {
      await waitFor(over, (done) => {
        wake = done;
        if (newest || failure) done();
        return () => {};
      });
      if (failure) throw failure;
      if (over.aborted) return;
      const fields = newest?.fields;
      newest = undefined;
      // The next request gets the proper error.
      if (fields === undefined || !maySee(saga, caller, fields)) return;
      const read = readLedger(saga, uuid, fields);
      if ('faults' in read) return;
      const { ledger } = read;
      const { length } = ledger.history;
      if (length !== told) yield { event: 'order', id: length, data: detailed(saga, ledger, caller) };
      told = length;
      if (hasEnded(ledger)) {
        yield { event: 'end', data: { status: ledger.status } };
        return;
      }
    }
  } finally {
    watching.close();
  }
}
