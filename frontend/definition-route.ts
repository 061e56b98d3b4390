import { z } from 'zod';
import { type Route, route } from '../saga/http/http.ts';
import { forkableStatuses } from '../saga/steer/fork.ts';
import { oncePerSaga } from '../saga/step/once-per-saga.ts';
import { PEOPLE, type Saga } from '../saga/step/saga.ts';
import type { Step } from '../saga/step/step.ts';

/** A saga, for programs that draw it or steer its orders: they need to know no step by name. */

const stepSchema = ({ statuses, reasons }: Saga) =>
  z.object({
    name: z.string(),
    /** The status of an order once the step is done, the topic that announces it, and what a message on it says. */
    leadsTo: z.enum(statuses),
    announces: z.string(),
    says: z.string(),
    /** Why it may refuse an order. */
    reasons: z.array(z.enum(reasons)),
    /** The kinds of documents of which an order holds something because of it. */
    uses: z.array(z.string()),
    skippable: z.boolean(),
    /** How it waits for a word from outside; absent if it never does. */
    waits: z
      .object({
        status: z.enum(statuses),
        says: z.string(),
        /** Where a word is said: `POST /{path}/{word}`; its path has `{uuid}`. */
        path: z.string(),
        words: z.array(z.object({ word: z.string(), carries: z.array(z.string()) })),
        operators: z.boolean(),
      })
      .optional(),
  });

export const definitionSchema = oncePerSaga((saga: Saga) =>
  z.object({
    name: z.string(),
    statuses: z.array(z.enum(saga.statuses)),
    /** The status of an order that has ended well. */
    success: z.enum(saga.statuses),
    /** The ends that nothing leaves: there, an order can't be canceled any more. */
    final: z.array(z.enum(saga.statuses)),
    /** The service that takes orders in, and the one that gives back what a failed order holds. */
    entry: z.object({ service: z.string(), topic: z.string(), says: z.string() }),
    failure: z.object({ service: z.string(), topic: z.string(), says: z.string() }),
    /** The steps in their order; those in one group run beside one another. */
    groups: z.array(z.array(stepSchema(saga))),
    /** Whether an order may ask for the orchestrated mode, name a step that is to fail, and be paused. */
    orchestrated: z.boolean(),
    failable: z.boolean(),
    pausable: z.boolean(),
    /** The statuses from which a fork can begin. */
    forkable: z.array(z.enum(saga.statuses)),
  }),
);

export type Definition = z.infer<ReturnType<typeof definitionSchema>>;

export const definitionRoute = (saga: Saga): Route =>
  route({
    method: 'GET',
    path: '/saga',
    summary: 'The saga: its statuses, its steps in their order, and what each waits for',
    answer: definitionSchema(saga),
    responses: { 200: 'The definition, as the services run it' },
    async handle() {
      return { status: 200, body: definitionOf(saga) };
    },
  });

export function definitionOf(saga: Saga): Definition {
  const { name, statuses, success, entry, failure, groups, services, order } = saga;
  const publisher = services.find((service) => service.publishes(saga).includes(entry.topic));
  const reader = services.find((service) => service.reads(saga).includes(failure.topic));
  return {
    name,
    statuses: [...statuses],
    success,
    final: statuses.filter(saga.isFinal),
    entry: { service: publisher?.name ?? PEOPLE, topic: entry.topic, says: entry.says },
    failure: { service: reader?.name ?? PEOPLE, topic: failure.topic, says: failure.says },
    groups: groups.map((group) => group.map(stepView)),
    orchestrated: saga.workflow !== undefined && order.modeIn !== undefined,
    failable: order.failsAt !== undefined,
    pausable: saga.pause !== undefined,
    forkable: forkableStatuses(saga),
  };
}

const stepView = ({ waits, ...step }: Step) => ({
  name: step.name,
  leadsTo: step.leadsTo,
  announces: step.announces,
  says: step.says,
  reasons: [...step.reasons],
  uses: step.uses.map(({ name }) => name),
  skippable: step.standIn !== undefined,
  ...(waits && {
    waits: {
      status: waits.as,
      says: waits.says,
      path: waits.path,
      words: Object.entries(waits.words).map(([word, { shape }]) => ({ word, carries: Object.keys(shape) })),
      operators: waits.audience === 'operators',
    },
  }),
});
