import { runService } from '../programs/host.ts';
import { paymentsService } from './service.ts';

await runService('payments', (ports, { paymentFailures }) => paymentsService(ports, paymentFailures));
