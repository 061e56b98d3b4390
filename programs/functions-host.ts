import { createLog } from '../adapters/log.ts';
import { registerFunction } from '../adapters/push/functions.ts';
import { openTelemetry } from '../adapters/telemetry/telemetry.ts';
import type { Service } from '../saga/deliver/service.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { type Config, loadDotenv, readConfig, readTopology } from './config.ts';
import { openPorts, tokenCheckOf } from './host.ts';

/** One service as a Cloud Run function; the framework that loads this module is the host. */
export async function runFunctions(
  name: string,
  create: (ports: Ports, config: Config) => Service,
): Promise<void> {
  loadDotenv();
  // The framework knows how messages arrive: always by requests.
  const config = readConfig({ ...process.env, SUBSCRIBER: 'push' });
  const topology = readTopology();
  const log = createLog(config.logLevel, { service: name }, { projectId: config.projectId });
  const telemetry = await openTelemetry(config, name, log);
  const ports = telemetry.ports(openPorts(config, topology, log));
  registerFunction(create(ports, config), topology, tokenCheckOf(config), ports, telemetry);
}
