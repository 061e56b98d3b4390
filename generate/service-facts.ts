import type { Service } from '../saga/deliver/service.ts';
import { publishedBy } from '../saga/deliver/topology.ts';
import type { Saga } from '../saga/step/saga.ts';

/** What you must know about each service to run it, by its name. */
export type ServiceFacts = ReturnType<typeof factsOf>;

/** @param services all services of the saga, in its order. */
export function factsOf(saga: Saga, services: readonly Pick<Service, 'name' | 'routes'>[]) {
  const facts = services.map(({ name, routes }) => ({
    [name]: {
      publishes: publishedBy(saga, name),
      /** Whether it has routes for operators, and so must know who they are. */
      hasOperatorRoutes: routes().some(({ audience }) => audience === 'operators'),
      /** What customers ask it: all that a load balancer may let through to it. */
      customerRoutes: routes()
        .filter(({ audience }) => audience !== 'operators')
        .map(({ method, path }) => `${method} ${path}`),
      /** The variables that it declares. Their defaults and bounds stay in the code. */
      settings: Object.keys(
        [...saga.steps, ...saga.services].find((one) => one.name === name)?.settings ?? {},
      ),
    },
  }));
  return Object.assign({}, ...facts) as (typeof facts)[number];
}
