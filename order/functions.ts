import { runFunctions } from '../programs/functions-host.ts';
import { orderService } from './service.ts';

await runFunctions('order', (ports, { deadlineSeconds }) => orderService(ports, deadlineSeconds));
