import { runService } from '../adapters/host.ts';
import { paymentsService } from './service.ts';

await runService('payments', (ports, { paymentFailures }) => paymentsService(ports, paymentFailures));
