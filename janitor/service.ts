import type { Ports } from '../saga/ports.ts';
import { createRunner } from '../saga/runner.ts';
import type { Service } from '../saga/service.ts';
import type { Topology } from '../saga/topology.ts';
import { auditRoutes } from './audit-routes.ts';
import { compensate } from './compensate.ts';
import { deskRoutes } from './desk-routes.ts';
import { createParking } from './park-messages.ts';
import { createPatrol } from './patrol.ts';
import { sagaRoutes } from './saga-routes.ts';
import { sweep } from './sweep.ts';
import { sweepRoutes } from './sweep-routes.ts';

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
