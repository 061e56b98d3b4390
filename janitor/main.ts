import { readTopology } from '../programs/config.ts';
import { runService } from '../programs/host.ts';
import { janitorService } from './service.ts';

await runService('janitor', (ports, { sweepIntervalSeconds }) =>
  janitorService(ports, readTopology(), sweepIntervalSeconds),
);
