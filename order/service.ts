import { createRunner } from '../saga/deliver/runner.ts';
import type { Service } from '../saga/deliver/service.ts';
import type { Ports } from '../saga/ports/ports.ts';
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
