import { frontendService } from '../frontend/service.ts';
import { inventoryService } from '../inventory/service.ts';
import { janitorService } from '../janitor/service.ts';
import { orderService } from '../order/service.ts';
import { paymentsService } from '../payments/service.ts';
import type { Service } from '../saga/deliver/service.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { type Config, readTopology } from './config.ts';

/** What of the configuration concerns the services themselves. */
export type ServiceSettings = Pick<Config, 'deadlineSeconds' | 'sweepIntervalSeconds' | 'paymentFailures'>;

/** All services of the pipeline, for a process that hosts them together. */
export function allServices(
  ports: Ports,
  { deadlineSeconds, sweepIntervalSeconds, paymentFailures }: ServiceSettings,
): readonly Service[] {
  return [
    frontendService(ports, deadlineSeconds),
    orderService(ports, deadlineSeconds),
    inventoryService(ports),
    paymentsService(ports, paymentFailures),
    janitorService(ports, readTopology(), sweepIntervalSeconds),
  ];
}
