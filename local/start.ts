import { readFileSync } from 'node:fs';
import { createReadableLog } from '../adapters/log.ts';
import { openTelemetry } from '../adapters/telemetry/telemetry.ts';
import { loadData, parseData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { loadDotenv, packageRoot, readConfig } from '../programs/config.ts';
import { hostServices, openPorts, runProcess } from '../programs/host.ts';
import { allServices, serviceNames } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';

/** The whole pipeline in one process on the embedded engine. It needs nothing but Node, and keeps nothing. */

const print = (line: string) => process.stdout.write(`${line}\n`);

loadDotenv();
await runProcess(async (end) => {
  const config = readConfig({ ...process.env, BACKEND: 'memory', SUBSCRIBER: 'pull' }, pipeline);
  const log = createReadableLog(config.logLevel, 'pipeline', serviceNames(pipeline), print);
  const telemetry = await openTelemetry(config, pipeline, pipeline.name, log);
  const ports = telemetry.ports(openPorts(config, topologyOf(pipeline), log));
  const file = new URL('data-init/data.json', packageRoot);
  await loadData(
    pipeline,
    ports.store,
    ports,
    parseData(pipeline, readFileSync(file, 'utf8'), file.pathname),
  );
  const services = allServices(pipeline, ports, config);
  const host = await hostServices(pipeline, services, ports, config, end, telemetry);
  const url = `http://${config.host}:${host.port}`;
  process.stdout.write(`
The pipeline runs on ${url}, on the embedded engine: what it holds is gone when it stops.

  curl -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}'

`);
  return host;
});
