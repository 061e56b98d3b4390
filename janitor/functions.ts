import { readTopology } from '../adapters/config.ts';
import { runFunctions } from '../adapters/functions-host.ts';
import { janitorService } from './service.ts';

await runFunctions('janitor', (ports, { sweepIntervalSeconds }) =>
  janitorService(ports, readTopology(), sweepIntervalSeconds),
);
