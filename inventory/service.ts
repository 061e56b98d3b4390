import { emissionFor } from '../saga/ledger.ts';
import type { Ports } from '../saga/ports.ts';
import { createRunner } from '../saga/runner.ts';
import type { Service } from '../saga/service.ts';
import { reactionOf } from '../saga/step.ts';
import { reserveStock } from './reserve-stock.ts';
import { inventoryRoutes } from './routes.ts';

export function inventoryService(ports: Ports): Service {
  return {
    name: 'inventory',
    consumers: [
      {
        topic: emissionFor({ status: reserveStock.from }),
        process: createRunner(reactionOf(reserveStock), ports),
      },
    ],
    routes: inventoryRoutes(ports.store),
  };
}
