import { readFileSync } from 'node:fs';
import { loadDotenv, packageRoot, readConfig, readTopology } from '../adapters/config.ts';
import { hostServices, openPorts, runProcess } from '../adapters/host.ts';
import { readableLine } from '../adapters/log.ts';
import { loadData, parseData } from '../data-init/load-data.ts';
import type { Log } from '../saga/log.ts';
import { allServices } from './services.ts';

/** The whole pipeline in one process on the embedded engine: nothing is needed but Node, and nothing is kept. */

const log: Log = (severity, message, fields) => {
  const line = readableLine(String(fields?.step ?? 'pipeline'), {
    time: new Date().toISOString(),
    severity,
    message,
    ...fields,
  });
  process.stdout.write(`${line}\n`);
};

loadDotenv();
await runProcess(async (end) => {
  const config = readConfig({ ...process.env, BACKEND: 'memory', SUBSCRIBER: 'pull' });
  const topology = readTopology();
  const ports = openPorts(config, topology, log);
  const file = new URL('data-init/data.json', packageRoot);
  await loadData(ports.store, ports, parseData(readFileSync(file, 'utf8'), file.pathname));
  const host = await hostServices(allServices(ports, config), ports, topology, config, end);
  const url = `http://${config.host}:${host.port}`;
  process.stdout.write(`
The pipeline runs on ${url}, on the embedded engine: what it holds is gone when it stops.

  curl -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}'

`);
  return host;
});
