import type { Ports } from '../saga/ports.ts';
import type { Service } from '../saga/service.ts';
import { type Config, loadDotenv, readConfig, readTopology } from './config.ts';
import { registerFunctions } from './functions.ts';
import { openPorts, tokenCheckOf } from './host.ts';
import { createLog } from './log.ts';

/** One service as Cloud Run functions; the framework that loads this module is the host. */
export function runFunctions(name: string, create: (ports: Ports, config: Config) => Service): void {
  loadDotenv();
  // The framework knows how messages arrive: always by requests.
  const config = readConfig({ ...process.env, SUBSCRIBER: 'push' });
  const topology = readTopology();
  const ports = openPorts(config, topology, createLog(config.logLevel, { service: name }));
  registerFunctions(create(ports, config), topology, tokenCheckOf(config), ports);
}
