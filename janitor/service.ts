import { createRunner } from '../saga/deliver/runner.ts';
import type { Service } from '../saga/deliver/service.ts';
import type { Topology } from '../saga/deliver/topology.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import { compensate } from './compensate.ts';
import { deskRoutes } from './desk/desk-routes.ts';
import { createParking } from './desk/park-messages.ts';
import { sagaRoutes } from './one-order/saga-routes.ts';
import { createPatrol } from './sweep/patrol.ts';
import { sweep } from './sweep/sweep.ts';
import { sweepRoutes } from './sweep/sweep-routes.ts';

/** @param sweepIntervalSeconds the pause between two sweeps; 0: it sweeps only when `POST /sweep` asks for it. */
export function janitorService(ports: Ports, topology: Topology, sweepIntervalSeconds: number): Service {
  const patrol = createPatrol(ports, topology, sweepIntervalSeconds);
  return {
    name: 'janitor',
    consumers: [
      { topic: 'error', process: createRunner(compensate, ports) },
      { topic: 'dead-letter', process: createParking(ports, topology) },
    ],
    routes: [
      ...deskRoutes(ports),
      ...sagaRoutes(ports),
      ...sweepRoutes(() => sweep(ports, topology)),
      ...auditRoutes(ports),
    ],
    start: patrol.start,
    drain: patrol.stop,
  };
}
