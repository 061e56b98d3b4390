import type { Ports } from '../saga/ports.ts';
import { consumerOf, type Service } from '../saga/service.ts';
import { compensate } from './compensate.ts';
import { createParking } from './park-messages.ts';

export function janitorService(ports: Ports): Service {
  return {
    name: 'janitor',
    consumers: [
      consumerOf('error', compensate, ports),
      { topic: 'dead-letter', processorFor: () => createParking(ports) },
    ],
    routes: [],
  };
}
