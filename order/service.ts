import type { Ports } from '../saga/ports.ts';
import { createRunner } from '../saga/runner.ts';
import type { Service } from '../saga/service.ts';
import { orderRoutes } from './routes.ts';
import { takeOrder } from './take-order.ts';

export function orderService(ports: Ports, deadlineSeconds: number): Service {
  return {
    name: 'order',
    consumers: [
      {
        topic: 'frontend',
        process: createRunner(takeOrder(deadlineSeconds), ports, { allowNameless: true }),
      },
    ],
    routes: orderRoutes(ports.store),
  };
}
