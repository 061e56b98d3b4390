import { type Config, readTopology } from '../adapters/config.ts';
import { frontendService } from '../frontend/service.ts';
import { inventoryService } from '../inventory/service.ts';
import { janitorService } from '../janitor/service.ts';
import { orderService } from '../order/service.ts';
import { paymentsService } from '../payments/service.ts';
import type { Ports } from '../saga/ports.ts';
import type { Service } from '../saga/service.ts';

/** All services of the pipeline, for a process that hosts them together. */
export function allServices(
  ports: Ports,
  { paymentFailures }: Pick<Config, 'paymentFailures'>,
): readonly Service[] {
  return [
    frontendService(ports),
    orderService(ports),
    inventoryService(ports),
    paymentsService(ports, paymentFailures),
    janitorService(ports, readTopology()),
  ];
}
