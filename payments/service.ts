import { createRunner } from '../saga/deliver/runner.ts';
import type { Service } from '../saga/deliver/service.ts';
import { emissionFor } from '../saga/ledger/ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { reactionOf } from '../saga/step/step.ts';
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
