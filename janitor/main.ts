import { runService } from '../adapters/host.ts';
import { janitorService } from './service.ts';

await runService('janitor', janitorService);
