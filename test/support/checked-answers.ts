import { isDeepStrictEqual } from 'node:util';
import type { Route, ServerEvent } from '../../saga/http/http.ts';

/** What a program on the other side of the network sees of it. */
const sent = (body: unknown): unknown => JSON.parse(JSON.stringify(body));

/** The same route, which fails if it answers something else than it says, a field more included. */
export const withCheckedAnswers = (route: Route): Route => ({
  ...route,
  async handle(request) {
    const response = await route.handle(request);
    const { events, body, status } = response;
    if (events) return { ...response, events: withCheckedData(events, route) };
    if (status < 300) {
      const seen = sent(body);
      const said = sent(route.answer.parse(seen));
      if (!isDeepStrictEqual(seen, said))
        throw new Error(
          `${route.method} ${route.path} answers ${JSON.stringify(seen)}, but says ${JSON.stringify(said)}`,
        );
    }
    return response;
  },
});

async function* withCheckedData(
  events: AsyncIterable<ServerEvent>,
  route: Route,
): AsyncGenerator<ServerEvent> {
  for await (const event of events) {
    route.events?.[event.event]?.parse(sent(event.data));
    yield event;
  }
}
