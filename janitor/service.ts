import type { Ports } from '../saga/ports.ts';
import { consumerOf, type Service } from '../saga/service.ts';
import type { Topology } from '../saga/topology.ts';
import { compensate } from './compensate.ts';
import { deskRoutes } from './desk-routes.ts';
import { createParking } from './park-messages.ts';

export function janitorService(ports: Ports, topology: Topology): Service {
  return {
    name: 'janitor',
    consumers: [
      consumerOf('error', compensate, ports),
      { topic: 'dead-letter', processorFor: () => createParking(ports, topology) },
    ],
    routes: deskRoutes(ports),
  };
}
