import { readTopology } from '../programs/config.ts';
import { runFunctions } from '../programs/functions-host.ts';
import { janitorService } from './service.ts';

await runFunctions('janitor', (ports, { sweepIntervalSeconds }) =>
  janitorService(ports, readTopology(), sweepIntervalSeconds),
);
