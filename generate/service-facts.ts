import type { Service } from '../saga/deliver/service.ts';
import { declareTopology } from '../saga/deliver/topology.ts';
import type { Saga } from '../saga/step/saga.ts';

/** What you must know about a service to run it. */
export interface ServiceFacts {
  readonly publishes: readonly string[];
  /** Whether it has routes for operators, and so must know who they are. */
  readonly hasOperatorRoutes: boolean;
}

/**
 * What you must know about each service, by name and in the order of the saga.
 * @param services all services of the saga; none of their functions is called.
 */
export function factsOf(
  saga: Saga,
  services: readonly Pick<Service, 'name' | 'routes'>[],
): Readonly<Record<string, ServiceFacts>> {
  const { services: declared } = declareTopology(saga);
  const facts = services.map(({ name, routes }) => [
    name,
    {
      publishes: declared[name]?.publishes ?? [],
      hasOperatorRoutes: routes.some(({ audience }) => audience === 'operators'),
    },
  ]);
  return Object.fromEntries(facts);
}
