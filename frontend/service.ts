import type { ServiceDefinition } from '../saga/deliver/service.ts';
import { createOrderIntake } from './accept-orders.ts';
import { customerEventsRoute } from './customer-events.ts';
import { frontendRoutes } from './routes.ts';

/** Takes orders in, and tells what became of them. */
export const frontend: ServiceDefinition = {
  name: 'frontend',
  reads: () => [],
  publishes: ({ entry, failure }) => [entry.topic, failure.topic],
  create(saga, ports, { deadlineSeconds }) {
    const intake = createOrderIntake(saga, ports, deadlineSeconds);
    return {
      name: 'frontend',
      consumers: [],
      routes: () => [...frontendRoutes(saga, ports, intake), customerEventsRoute(saga, ports.store)],
      drain: intake.drain,
    };
  },
};
