import type { Service } from '../saga/service.ts';
import type { Ports } from '../saga/turns.ts';
import { createOrderDesk } from './accept-orders.ts';
import { frontendRoutes } from './routes.ts';

export function frontendService(ports: Ports): Service {
  const desk = createOrderDesk(ports);
  return { name: 'frontend', consumers: [], routes: frontendRoutes(ports.store, desk), drain: desk.drain };
}
