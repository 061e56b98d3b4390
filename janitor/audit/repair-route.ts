import { z } from 'zod';
import { operatorIn } from '../../saga/http/caller.ts';
import { Problem, type Route, route } from '../../saga/http/http.ts';
import { pageParameters, readPage } from '../../saga/http/page.ts';
import { sentenceSchema } from '../../saga/input/sentence.ts';
import { pause } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { reportSchema } from './audit-report.ts';
import type { RepairResult } from './repair.ts';
import { planOnly, repairInRounds } from './repair-in-rounds.ts';
import { REPAIRS, type RepairEntry, repairEntrySchema } from './repair-journal.ts';
import { takeAudit } from './take-audit.ts';

const described = { sentence: z.string(), effect: z.string() };
const actionSchema = z.union([
  z.object({ ...described, kind: z.enum(['announce', 'compensate']), uuid: z.string() }),
  z.object({ ...described, kind: z.enum(['restore', 'remove']), uuid: z.string(), path: z.string() }),
  z.object({
    ...described,
    kind: z.literal('correct'),
    path: z.string(),
    correction: z.object({ field: z.string(), by: z.int(), corrections: z.int() }),
  }),
]);

/** What was found in the end, what was done, and what could still be done. */
export const repairReportSchema = z.object({
  report: reportSchema,
  repaired: z.array(
    z.object({
      action: actionSchema,
      outcome: z.enum(['done', 'needless', 'failed']),
      detail: z.string().exactOptional(),
    }),
  ),
  plan: z.object({
    actions: z.array(actionSchema),
    forPeople: z.array(z.object({ sentence: z.string(), advice: z.string() })),
  }),
});

const wantedSchema = z.strictObject(
  { apply: z.boolean({ error: 'must be true or false' }), note: sentenceSchema.optional() },
  { error: 'must be an object' },
);

/** Lets operators see what a repair would do, have it done, and look at what was repaired before. */
export const repairRoutes = (saga: Saga, ports: Ports): readonly Route[] => [
  repairRoute(saga, ports),
  route({
    method: 'GET',
    path: '/repairs',
    summary: 'What was repaired, by whom and why, newest first, a page at a time',
    audience: 'operators',
    query: z.strictObject(pageParameters),
    answer: z.object({ repairs: z.array(repairEntrySchema), next_page: z.string().optional() }),
    responses: { 200: 'One page; next_page leads to the next' },
    async handle({ query: { limit, page } }) {
      const listing = { collection: REPAIRS, where: {} };
      const { documents: repairs, nextPage } = await readPage<RepairEntry>(ports.store, listing, limit, page);
      return { status: 200, body: { repairs, ...(nextPage && { next_page: nextPage }) } };
    },
  }),
];

function repairRoute(saga: Saga, ports: Ports): Route {
  let isUnderWay = false;
  /** On the embedded engine an audit would never yield by itself, and orders would have to wait until it ends. */
  const giveWay = () => pause(ports.clock, 0);

  return route({
    method: 'POST',
    path: '/repair',
    summary: 'What a repair would do, or do it: what follows from the ledgers alone, and nothing else',
    answer: repairReportSchema,
    audience: 'operators',
    body: wantedSchema,
    responses: {
      200: 'What is wrong in the end, what was repaired before that, what a repair would still do, and what needs a person',
      409: 'Another one is under way',
    },
    async handle({ body: { apply, note }, caller }) {
      if (isUnderWay)
        throw new Problem(409, 'Conflict', 'Another repair is under way; ask again once it is done');
      isUnderWay = true;
      try {
        if (!apply) return { status: 200, body: planOnly(await takeAudit(saga, ports, giveWay)) };
        const wish = { person: operatorIn(caller), note };
        const by = { step: 'janitor', operator: wish.person, note };
        ports.log('INFO', 'janitor: an operator asked for a repair', by);
        const meanwhile = {
          onProgress: giveWay,
          afterRound: (results: readonly RepairResult[]) => logResults(results, by),
        };
        return { status: 200, body: await repairInRounds(saga, ports, wish, meanwhile) };
      } finally {
        isUnderWay = false;
      }
    },
  });

  /** Each action, under the order that it is about: who wanted it, and why. */
  function logResults(results: readonly RepairResult[], by: object): void {
    for (const { action, outcome, detail } of results) {
      const uuid = 'uuid' in action ? action.uuid : undefined;
      const severity = outcome === 'failed' ? 'WARNING' : 'INFO';
      ports.log(severity, `janitor: repair ${outcome}: ${action.sentence}`, { ...by, uuid, error: detail });
    }
  }
}
