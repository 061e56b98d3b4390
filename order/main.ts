import { runService } from '../programs/host.ts';
import { orderService } from './service.ts';

await runService('order', (ports, { deadlineSeconds }) => orderService(ports, deadlineSeconds));
