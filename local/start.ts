import { readFileSync } from 'node:fs';
import { createReadableLog } from '../adapters/log.ts';
import { openTelemetry } from '../adapters/telemetry/telemetry.ts';
import { loadData, parseData } from '../data-init/load-data.ts';
import { loadDotenv, packageRoot, readConfig, readTopology } from '../programs/config.ts';
import { hostServices, openPorts, runProcess } from '../programs/host.ts';
import { allServices } from '../programs/services.ts';

/** The whole pipeline in one process on the embedded engine: nothing is needed but Node, and nothing is kept. */

const print = (line: string) => process.stdout.write(`${line}\n`);

loadDotenv();
await runProcess(async (end) => {
  const config = readConfig({ ...process.env, BACKEND: 'memory', SUBSCRIBER: 'pull' });
  const topology = readTopology();
  const readers = Object.values(topology.subscriptions).flatMap(({ service }) => service ?? []);
  const log = createReadableLog(config.logLevel, 'pipeline', readers, print);
  const telemetry = await openTelemetry(config, 'order-saga', log);
  const ports = telemetry.ports(openPorts(config, topology, log));
  const file = new URL('data-init/data.json', packageRoot);
  await loadData(ports.store, ports, parseData(readFileSync(file, 'utf8'), file.pathname));
  const host = await hostServices(allServices(ports, config), ports, topology, config, end, telemetry);
  const url = `http://${config.host}:${host.port}`;
  process.stdout.write(`
The pipeline runs on ${url}, on the embedded engine: what it holds is gone when it stops.

  curl -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}'

`);
  return host;
});
