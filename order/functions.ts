import { runFunctions } from '../adapters/functions-host.ts';
import { orderService } from './service.ts';

runFunctions('order', (ports, { deadlineSeconds }) => orderService(ports, deadlineSeconds));
