import { emissionFor } from '../saga/ledger.ts';
import type { Ports } from '../saga/ports.ts';
import { consumerOf, type Service } from '../saga/service.ts';
import { reactionOf } from '../saga/step.ts';
import { chargeCustomer, type PaymentFailures } from './charge-customer.ts';
import { paymentsRoutes } from './routes.ts';

export function paymentsService(ports: Ports, failures: PaymentFailures): Service {
  const step = chargeCustomer(failures);
  return {
    name: 'payments',
    consumers: [consumerOf(emissionFor({ status: step.from }), reactionOf(step), ports)],
    routes: paymentsRoutes(ports.store),
  };
}
