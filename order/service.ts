import type { Ports } from '../saga/ports.ts';
import { consumerOf, type Service } from '../saga/service.ts';
import { orderRoutes } from './routes.ts';
import { takeOrder } from './take-order.ts';

export function orderService(ports: Ports, deadlineSeconds: number): Service {
  return {
    name: 'order',
    consumers: [consumerOf('frontend', takeOrder(deadlineSeconds), ports, { allowNameless: true })],
    routes: orderRoutes(ports.store),
  };
}
