import { z } from 'zod';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { type Caller, operatorIn } from '../../saga/http/caller.ts';
import { type HttpResponse, invalidInput, type Route, route } from '../../saga/http/http.ts';
import { turnOnRequest } from '../../saga/http/one-order.ts';
import { pageParameters } from '../../saga/http/page.ts';
import { sentenceSchema } from '../../saga/input/sentence.ts';
import { PAUSED } from '../../saga/ledger/ledger.ts';
import { type LedgerFilter, listLedgers } from '../../saga/ledger/list-ledgers.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { forkableStatuses, forkTask } from '../../saga/steer/fork.ts';
import { pauseTask, type Steerer, skipTask, unpauseTask } from '../../saga/steer/steer.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { LedgerTask } from '../../saga/step/turn.ts';

/** How operators steer orders by hand: pause, resume, skip a step, fork. One order, or all of a filter. */

const note = sentenceSchema;
const noted = z.strictObject({ note }, { error: 'must be an object' });

/** So many orders are steered by one request; `next_page` leads to the others. */
const STEERED_MAX = 1_000;
const PORTION = 100;

/** What is said of an order that was steered, and of many. */
export const steeredSchema = ({ statuses }: Saga) => z.object({ uuid: z.uuid(), status: z.enum(statuses) });
export const manySteeredSchema = z.object({
  steered: z.int(),
  /** Those that could not be, such as orders that have come to their end meanwhile. */
  untouched: z.int(),
  /** Those of which it is not known, because the store did not answer or their ledger is malformed. */
  failed: z.int(),
  next_page: z.string().optional(),
});

/** The routes; none if no order of this saga can be paused. */
export function steerRoutes(saga: Saga, ports: Ports): readonly Route[] {
  if (saga.pause === undefined) return [];
  const who = (caller: Caller | undefined, text: string): Steerer => ({
    by: 'janitor',
    person: operatorIn(caller),
    note: text,
  });

  /** @param what was done, for the log. */
  async function steer(
    uuid: string,
    what: string,
    steerer: Steerer,
    taskFor: (saga: Saga, uuid: string, steerer: Steerer) => LedgerTask,
  ): Promise<HttpResponse> {
    const task = (id: string) => taskFor(saga, id, steerer);
    const { ledger, outcome, publishError } = await turnOnRequest(
      saga,
      'janitor',
      uuid,
      task,
      `/sagas/${uuid}`,
      ports,
    );
    const { status } = ledger;
    const fields = { step: 'janitor', uuid, status, operator: steerer.person, error: publishError?.message };
    // If the broker is away, the sweep announces an order that goes on.
    if (outcome === 'steered')
      ports.log(publishError ? 'WARNING' : 'INFO', `janitor: an operator ${what}`, fields);
    return {
      status: 202,
      headers: { Location: `/sagas/${ledger.uuid}` },
      body: { uuid: ledger.uuid, status },
    };
  }

  /** Portion by portion, from the newest order to the oldest. */
  async function steerMany(
    what: string,
    { page: from, ...filter }: LedgerFilter & { readonly page?: string | undefined },
    steerer: Steerer,
    taskFor: (saga: Saga, uuid: string, steerer: Steerer) => LedgerTask,
  ): Promise<HttpResponse> {
    const many = { steered: 0, untouched: 0, failed: 0 };
    let seen = 0;
    let page = from;
    do {
      const { orders, nextPage } = await listLedgers(saga, ports.store, filter, PORTION, page);
      const tasks = orders.map(({ uuid }) => taskFor(saga, uuid, steerer));
      const taken = await takeTurns(saga, 'janitor', tasks, ports);
      for (const one of taken) {
        if ('error' in one) many.failed++;
        else if (one.turn.outcome === 'steered') many.steered++;
        else many.untouched++;
      }
      seen += taken.length;
      page = nextPage;
    } while (page !== undefined && seen < STEERED_MAX);
    const fields = { step: 'janitor', ...filter, ...many, operator: steerer.person };
    ports.log(many.failed > 0 ? 'WARNING' : 'INFO', `janitor: an operator ${what}`, fields);
    return { status: 200, body: { ...many, next_page: page } };
  }

  const oneOf = (names: readonly string[]) => z.enum(names, { error: `must be one of ${names.join(', ')}` });
  /** Those that can be skipped. */
  const steps = saga.steps.filter(({ standIn }) => standIn !== undefined).map(({ name }) => name);
  const one = { method: 'POST', audience: 'operators', answer: steeredSchema(saga) } as const;
  const responses = {
    404: 'No such order',
    409: 'It stands where that is not possible; detail says why',
    500: 'Its ledger is malformed: GET /sagas/{uuid} names the faults',
    503: 'Whether it was done is not known; look at the order',
  };
  const listed = Object.fromEntries(saga.order.listedBy.map((field) => [field, z.string().optional()]));
  const many = { method: 'POST', audience: 'operators', answer: manySteeredSchema, body: noted } as const;
  const status = oneOf(saga.statuses).optional();
  const { page } = pageParameters;

  const skipRoute = route({
    ...one,
    path: '/sagas/{uuid}/skip',
    summary: 'Pass over the next step of an order, because its work is done elsewhere',
    body: z.strictObject({ step: oneOf(steps), note }, { error: 'must be an object' }),
    responses: { 202: 'It goes on behind that step', ...responses },
    handle: ({ params: { uuid = '' }, body, caller }) =>
      steer(uuid, `skipped ${body.step} of this order`, who(caller, body.note), (_, id, steerer) =>
        skipTask(saga, id, body.step, steerer),
      ),
  });

  return [
    route({
      ...one,
      path: '/sagas/{uuid}/pause',
      summary: 'Stop an order before its next step; its deadlines rest',
      body: noted,
      responses: { 202: 'It is paused, now or before; it can still be canceled', ...responses },
      handle: ({ params: { uuid = '' }, body, caller }) =>
        steer(uuid, 'paused this order', who(caller, body.note), pauseTask),
    }),
    route({
      ...one,
      path: '/sagas/{uuid}/resume',
      summary: 'Let a paused order go on where it stood',
      body: noted,
      responses: { 202: 'It goes on', ...responses },
      handle: ({ params: { uuid = '' }, body, caller }) =>
        steer(uuid, 'resumed this order', who(caller, body.note), unpauseTask),
    }),
    ...(steps.length > 0 ? [skipRoute] : []),
    route({
      ...one,
      path: '/sagas/{uuid}/fork',
      summary: 'Make a new order from a past status of one that has come to its end',
      body: z.strictObject({ from: oneOf(forkableStatuses(saga)), note }, { error: 'must be an object' }),
      responses: { 202: 'The new order, which goes on from there; always the same one', ...responses },
      handle: ({ params: { uuid = '' }, body, caller }) =>
        steer(uuid, 'forked this order', who(caller, body.note), (_, id, steerer) =>
          forkTask(saga, id, body.from, steerer),
        ),
    }),
    route({
      ...many,
      path: '/sagas/pause',
      summary: 'Pause all orders of a filter',
      query: z.strictObject({ ...listed, status, page }),
      responses: { 200: `How many were paused, of at most ${STEERED_MAX}; next_page leads to older ones` },
      handle({ query, body, caller }) {
        if (Object.keys(query).every((name) => name === 'page')) {
          const message = `must be given, or ${saga.order.listedBy.join(' or ')}: all orders at once are too many`;
          throw invalidInput([{ field: 'status', message }]);
        }
        return steerMany('paused orders', query, who(caller, body.note), pauseTask);
      },
    }),
    route({
      ...many,
      path: '/sagas/resume',
      summary: 'Let all paused orders go on, or those of a filter',
      query: z.strictObject({ ...listed, page }),
      responses: { 200: `How many go on, of at most ${STEERED_MAX}; next_page leads to older ones` },
      handle: ({ query, body, caller }) =>
        steerMany('resumed orders', { ...query, status: PAUSED }, who(caller, body.note), unpauseTask),
    }),
  ];
}
