import { runService } from '../adapters/host.ts';
import { frontendService } from './service.ts';

await runService('frontend', (ports, { deadlineSeconds }) => frontendService(ports, deadlineSeconds));
