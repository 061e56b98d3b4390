import { z } from 'zod';
import { moment } from '../../saga/http/answers.ts';
import { operatorIn } from '../../saga/http/caller.ts';
import { type HttpRequest, Problem, type Route, route, unavailable } from '../../saga/http/http.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Log } from '../../saga/ports/log.ts';
import { CUTTABLE, type Plug } from './plug.ts';

/** Longer than any pause of the services between two tries, and short enough to be waited for. */
const SECONDS_MAX = 60;
const secondsFault = { error: `must be a whole number from 1 to ${SECONDS_MAX}` };
const seconds = z.int(secondsFault).min(1, secondsFault).max(SECONDS_MAX, secondsFault);
const oneOf = <const Words extends readonly string[]>(words: Words) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

const count = z.int().min(0);
/** What was done, in a sentence. */
const done = z.object({ done: z.string() });
const repeated = done.extend({ messages: count });

/** The routes by which people pull the plug. Only a stack on this machine has them. */
export function plugRoutes(plug: Plug, log: Log): readonly Route[] {
  const service = oneOf(plug.services);
  const processOf = (name: string) => (plug.separate ? name : 'all services, which share a process');

  function did(what: string, { caller }: Pick<HttpRequest, 'caller'>) {
    log('WARNING', `Plug: ${what}`, { operator: operatorIn(caller) });
    return { status: 202, body: { done: what } };
  }

  async function repeat(
    messages: readonly OutgoingMessage[],
    what: string,
    asked: Pick<HttpRequest, 'caller'>,
  ) {
    const results = await plug.publish(messages);
    const failed = results.filter((error) => error !== undefined).length;
    if (failed > 0) throw unavailable(`The broker did not take ${failed} of ${messages.length} messages`);
    const { status, body } = did(what, asked);
    return { status, body: { ...body, messages: messages.length } };
  }

  return [
    route({
      method: 'GET',
      path: '/plug',
      summary: 'What is broken on purpose in this stack',
      audience: 'operators',
      answer: z.object({
        separate: z.boolean(),
        services: z.array(z.object({ name: z.string(), state: z.enum(['running', 'starting', 'frozen']) })),
        cut: z.object({ store: moment.nullable(), broker: moment.nullable() }),
        recorded: count,
        dropped: count,
      }),
      responses: {
        200: 'Whether each service is a process of its own, and its state; until when store and broker are cut off; how many messages can be published again, and how many older ones there was no room for',
      },
      async handle() {
        const [store = null, broker = null] = CUTTABLE.map((what) => plug.cutUntil(what));
        return {
          status: 200,
          body: {
            separate: plug.separate,
            services: plug.services.map((name) => ({ name, state: plug.stateOf(name) })),
            cut: { store, broker },
            recorded: plug.recorded.messages().length,
            dropped: plug.recorded.droppedCount(),
          },
        };
      },
    }),
    route({
      method: 'POST',
      path: '/plug/crash',
      summary: 'Kill the process of a service with SIGKILL; it is started again',
      audience: 'operators',
      body: z.strictObject({ service }),
      answer: done,
      responses: {
        202: 'It is killed; without separate processes, all services are',
        503: 'It is being started',
      },
      async handle(request) {
        plug.crash(request.body.service);
        return did(`killed the process of ${processOf(request.body.service)}`, request);
      },
    }),
    route({
      method: 'POST',
      path: '/plug/freeze',
      summary: 'Freeze a service: it does nothing for some seconds',
      audience: 'operators',
      body: z.strictObject({ service, seconds }),
      answer: done,
      responses: { 202: 'It does nothing until then', 503: 'It is being started' },
      async handle(request) {
        plug.freeze(request.body.service, request.body.seconds);
        return did(`${request.body.service} does nothing for ${request.body.seconds} s`, request);
      },
    }),
    route({
      method: 'POST',
      path: '/plug/cut',
      summary: 'Cut the services off from the store or the broker for some seconds',
      audience: 'operators',
      body: z.strictObject({ what: oneOf(CUTTABLE), seconds }),
      answer: done,
      responses: { 202: 'They do not reach it until then' },
      async handle(request) {
        plug.cut(request.body.what, request.body.seconds);
        return did(
          `the services do not reach the ${request.body.what} for ${request.body.seconds} s`,
          request,
        );
      },
    }),
    route({
      method: 'POST',
      path: '/plug/duplicate',
      summary: 'Publish the last message once more',
      audience: 'operators',
      answer: repeated,
      responses: {
        202: 'It is published',
        409: 'No message was published yet',
        503: 'The broker does not take it now',
      },
      async handle(request) {
        const last = plug.recorded.messages().at(-1);
        if (last === undefined) throw new Problem(409, 'Conflict', 'No message was published yet');
        return repeat([last], `published the last message once more, on ${last.topic}`, request);
      },
    }),
    route({
      method: 'POST',
      path: '/plug/replay',
      summary: 'Publish every message once more that was published since the start',
      audience: 'operators',
      answer: repeated,
      responses: {
        202: 'They are published, in their order; the sentence says how many older ones there was no room for',
        503: 'The broker does not take them now',
      },
      async handle(request) {
        const messages = plug.recorded.messages();
        const dropped = plug.recorded.droppedCount();
        const without = dropped > 0 ? `, without the ${dropped} oldest` : '';
        return repeat(messages, `published ${messages.length} messages once more${without}`, request);
      },
    }),
  ];
}
