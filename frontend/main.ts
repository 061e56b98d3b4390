import { runService } from '../programs/host.ts';
import { frontendService } from './service.ts';

await runService('frontend', (ports, { deadlineSeconds }) => frontendService(ports, deadlineSeconds));
