import { createLog } from '../adapters/log.ts';
import { registerFunction } from '../adapters/push/functions.ts';
import { openTelemetry } from '../adapters/telemetry/telemetry.ts';
import { pipeline } from '../pipeline.ts';
import { serviceOf } from '../saga/deliver/service.ts';
import { readersOf, topologyOf } from '../saga/deliver/topology.ts';
import { loadDotenv, readConfig } from './config.ts';
import { tokenCheckOf } from './host.ts';
import { openPorts } from './open-ports.ts';

/**
 * One service of the pipeline as a Cloud Run function: the framework that loads this module is the host. It is the `main` of
 * package.json, because that is where the framework and Google's buildpack look; who installs the package gets its `exports`.
 */

loadDotenv();
const topology = topologyOf(pipeline);
// The framework calls the function that this variable names, and offers no other way to know it.
const name = process.env.FUNCTION_TARGET ?? '';
const readers = readersOf(topology);
if (!readers.includes(name)) {
  throw new Error(`FUNCTION_TARGET must name a service that reads messages: ${readers.join(', ')}`);
}
// With this framework, messages always arrive as requests.
const config = readConfig({ ...process.env, SUBSCRIBER: 'push' }, pipeline);
const log = createLog(config.logLevel, { service: name }, { projectId: config.projectId });
const telemetry = await openTelemetry(config, pipeline, name, log);
const ports = telemetry.ports(await openPorts(config, topology, log));
const service = serviceOf(pipeline, name, ports, config);
registerFunction(service, topology, await tokenCheckOf(config), ports, telemetry);
