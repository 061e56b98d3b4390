import { pipeline } from '../pipeline.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { runService } from './host.ts';

/** Runs one service of the pipeline as a process of its own: `node dist/programs/service.js inventory`. */

const [name = ''] = process.argv.slice(2);
if (serviceNames(pipeline).includes(name)) await runService(pipeline, name);
else {
  process.stderr.write(`There is no service "${name}": name one of ${serviceNames(pipeline).join(', ')}\n`);
  process.exit(1);
}
