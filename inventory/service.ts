import { emissionFor } from '../saga/ledger.ts';
import type { Ports } from '../saga/ports.ts';
import { consumerOf, type Service } from '../saga/service.ts';
import { reactionOf } from '../saga/step.ts';
import { reserveStock } from './reserve-stock.ts';
import { inventoryRoutes } from './routes.ts';

export function inventoryService(ports: Ports): Service {
  return {
    name: 'inventory',
    consumers: [consumerOf(emissionFor({ status: reserveStock.from }), reactionOf(reserveStock), ports)],
    routes: inventoryRoutes(ports.store),
  };
}
