import { createRunner } from '../saga/deliver/runner.ts';
import type { Service } from '../saga/deliver/service.ts';
import { emissionFor } from '../saga/ledger/ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { reactionOf } from '../saga/step/step.ts';
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
