import { deepStrictEqual } from 'node:assert/strict';
import { z } from 'zod';
import type { Route, ServerEvent } from '../../saga/http/http.ts';

/** The same route, but it fails if an answer differs from its schema, even by one field too many. */
export const withCheckedAnswers = (route: Route): Route => ({
  ...route,
  async handle(request) {
    const response = await route.handle(request);
    const { events, body, status } = response;
    if (events) return { ...response, events: withCheckedData(events, route) };
    if (status < 300) check(route.answer, body);
    return response;
  },
});

async function* withCheckedData(
  events: AsyncIterable<ServerEvent>,
  route: Route,
): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    const schema = route.events?.[event.event];
    if (schema) check(schema, event.data);
    yield event;
  }
}

/** @throws Error if a value is not what its schema says, or has more in it: parsing leaves out what a schema does not name. */
function check(schema: z.ZodType, value: unknown): void {
  const sent = JSON.parse(JSON.stringify(value));
  deepStrictEqual(z.encode(schema, schema.parse(sent)), sent);
}
