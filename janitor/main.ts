import { readTopology } from '../adapters/config.ts';
import { runService } from '../adapters/host.ts';
import { janitorService } from './service.ts';

await runService('janitor', (ports, { sweepIntervalSeconds }) =>
  janitorService(ports, readTopology(), sweepIntervalSeconds),
);
