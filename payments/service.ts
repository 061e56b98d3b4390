import { emissionFor } from '../saga/ledger.ts';
import type { Ports } from '../saga/ports.ts';
import { createRunner } from '../saga/runner.ts';
import type { Service } from '../saga/service.ts';
import { reactionOf } from '../saga/step.ts';
import { chargeCustomer, type PaymentFailures } from './charge-customer.ts';
import { paymentsRoutes } from './routes.ts';

export function paymentsService(ports: Ports, failures: PaymentFailures): Service {
  const step = chargeCustomer(failures);
  return {
    name: 'payments',
    consumers: [
      { topic: emissionFor({ status: step.from }), process: createRunner(reactionOf(step), ports) },
    ],
    routes: paymentsRoutes(ports.store),
  };
}
