import { runService } from '../adapters/host.ts';
import { frontendService } from './service.ts';

await runService('frontend', frontendService);
