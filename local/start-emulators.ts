import { readFileSync } from 'node:fs';
import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { serveHttp } from '../adapters/http/http-server.ts';
import { createLog, createReadableLog } from '../adapters/log.ts';
import { loadData, parseData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { loadDotenv, packageRoot, readConfig } from '../programs/config.ts';
import { openPorts, runProcess } from '../programs/host.ts';
import { allServices } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { startEmulators } from './emulators.ts';
import { gatewayApp } from './gateway.ts';
import { startServiceProcesses } from './service-processes.ts';

/** The local stack: Google's emulators, each service its own process, and one port in front of them. */

const PROJECT_ID = 'demo-saga';
const PUBSUB_PORT = 8085;
const FIRESTORE_PORT = 8086;

const print = (line: string) => process.stdout.write(`${line}\n`);
const portFrom = (host: string | undefined, otherwise: number) => Number(host?.split(':')[1] ?? otherwise);

loadDotenv();
await runProcess(async (end) => {
  const wanted = readConfig({ ...process.env, BACKEND: 'memory', SUBSCRIBER: 'pull' }, pipeline);
  const stack: { stop(): Promise<void> }[] = [];
  const stopAll = async () => {
    // Stop in reverse: what was started last depends on what was started first.
    for (const part of stack.toReversed()) await part.stop();
  };
  try {
    const emulators = await startEmulators(
      portFrom(process.env.PUBSUB_EMULATOR_HOST, PUBSUB_PORT),
      portFrom(process.env.FIRESTORE_EMULATOR_HOST, FIRESTORE_PORT),
      end,
    );
    stack.push(emulators);
    process.env.PUBSUB_EMULATOR_HOST = emulators.pubsubHost;
    process.env.FIRESTORE_EMULATOR_HOST = emulators.firestoreHost;
    const environment = {
      ...process.env,
      BACKEND: 'gcp',
      // The services listen on ports that are not known beforehand, so nothing can be pushed to them.
      SUBSCRIBER: 'pull',
      PROJECT_ID: process.env.PROJECT_ID || PROJECT_ID,
      // The gateway is one more of them.
      TRUSTED_PROXIES: String(wanted.trustedProxies + 1),
    };
    const config = readConfig(environment, pipeline);
    const topology = topologyOf(pipeline);
    await createTopology(config.projectId, topology);
    const ports = openPorts(config, topology, createLog('silent', {}));
    const file = new URL('data-init/data.json', packageRoot);
    await loadData(
      pipeline,
      ports.store,
      ports,
      parseData(pipeline, readFileSync(file, 'utf8'), file.pathname),
    );

    const services = allServices(pipeline, ports, config);
    const names = services.map(({ name }) => name);
    const processes = startServiceProcesses(names, environment, print);
    stack.push(processes);
    const gateway = await serveHttp(
      gatewayApp(
        services,
        wanted.host,
        processes.portOf,
        createReadableLog(config.logLevel, 'gateway', names, print),
      ),
      wanted.host,
      wanted.port,
    );
    stack.push({ stop: () => gateway.close(1000) });
    await processes.started;
    await ports.bus.close();
    await ports.store.close();
    print(greeting(`http://${wanted.host}:${gateway.port}`, emulators.pubsubHost, config.projectId));
  } catch (error) {
    await stopAll();
    throw error;
  }
  return { close: stopAll };
});

function greeting(url: string, pubsubHost: string, projectId: string): string {
  return `
The pipeline runs on ${url}, on Google's emulators. Ctrl-C stops everything; what it holds is then gone.

  curl -X POST ${url}/order -H 'Content-Type: application/json' \\
    -d '{"item":"widget","quantity":2,"user":"jack"}'

These three variables point gcloud at it:

  export CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${pubsubHost}/
  export CLOUDSDK_CORE_PROJECT=${projectId}
  export CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true

  gcloud pubsub subscriptions pull payment-created-sub --auto-ack
`;
}
