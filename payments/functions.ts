import { runFunctions } from '../programs/functions-host.ts';
import { paymentsService } from './service.ts';

await runFunctions('payments', (ports, { paymentFailures }) => paymentsService(ports, paymentFailures));
