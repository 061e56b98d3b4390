import type { Service } from '../saga/deliver/service.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { createOrderIntake } from './accept-orders.ts';
import { frontendRoutes } from './routes.ts';

export function frontendService(ports: Ports, deadlineSeconds: number): Service {
  const intake = createOrderIntake(ports, deadlineSeconds);
  return {
    name: 'frontend',
    consumers: [],
    routes: frontendRoutes(ports, intake),
    drain: intake.drain,
  };
}
