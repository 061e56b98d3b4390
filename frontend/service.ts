import { z } from 'zod';
import type { ServiceDefinition } from '../saga/deliver/service.ts';
import { ORCHESTRATION } from '../saga/step/saga.ts';
import { createOrderIntake } from './accept-orders.ts';
import { customerEventsRoute } from './customer-events.ts';
import { definitionRoute } from './definition-route.ts';
import { createLiveOrders } from './live-orders.ts';
import { countsRoute, liveRoute } from './live-routes.ts';
import { orderEventsRoute } from './order-events.ts';
import { frontendRoutes } from './routes.ts';

/** Takes orders in, and tells what became of them. */
export const frontend: ServiceDefinition = {
  name: 'frontend',
  reads: () => [],
  publishes: ({ entry, failure }) => [entry.topic, failure.topic],
  settings: {
    /** In which mode the steps of an order are done that names none. */
    ORDER_MODE: z
      .enum(['choreography', ORCHESTRATION], { error: 'must be choreography or orchestration' })
      .default('choreography'),
  },
  create(saga, ports, { deadlineSeconds, declared }) {
    const closing = new AbortController();
    const live = createLiveOrders(ports, saga.statuses, closing.signal);
    const intake = createOrderIntake(saga, ports, deadlineSeconds);
    return {
      name: 'frontend',
      consumers: [],
      routes: () => [
        ...frontendRoutes(saga, ports, intake, declared.ORDER_MODE === ORCHESTRATION),
        customerEventsRoute(saga, ports.store),
        definitionRoute(saga),
        orderEventsRoute(saga, ports.store, closing.signal),
        liveRoute(saga, live),
        countsRoute(saga, ports.store),
      ],
      webPage: new URL('public/', import.meta.url),
      async drain() {
        closing.abort();
        await intake.drain();
      },
    };
  },
};
