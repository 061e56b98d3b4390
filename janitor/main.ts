import { runService } from '../adapters/host.ts';
import { janitorService } from './service.ts';

await runService('janitor', (ports, { sweepIntervalSeconds }) => janitorService(ports, sweepIntervalSeconds));
