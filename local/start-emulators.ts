import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { serveHttp } from '../adapters/http/http-server.ts';
import { isLoopback } from '../adapters/http/operator-gate.ts';
import { createReadableLog } from '../adapters/log.ts';
import { pipeline } from '../pipeline.ts';
import { loadDotenv, readConfig } from '../programs/config.ts';
import { makeDataFolder, noteStack } from '../programs/local-stack.ts';
import { runProcess } from '../programs/run-process.ts';
import { allServices } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { startEmulators } from './emulators.ts';
import { gatewayApp } from './gateway.ts';
import { plugRoutes } from './plug/plug-routes.ts';
import { processesPlug, withRecords } from './plug/processes-plug.ts';
import { openRelay } from './plug/relay.ts';
import { startServiceProcesses } from './service-processes.ts';
import { greeting, shopData } from './shop.ts';
import { openWorld } from './start-locally.ts';
import { until } from './until.ts';

/** The local stack: Google's emulators, each service its own process, and one port in front of them. */

/** A service that does not come up in this time never will. */
const START_LIMIT_MS = 60_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const portIn = (host: string) => Number(host.split(':')[1]);

loadDotenv();
await runProcess(async (end) => {
  const environment = {
    ...process.env,
    BACKEND: 'gcp',
    // The services listen on ports that are not known beforehand, so nothing can be pushed to them.
    SUBSCRIBER: 'pull',
    PROJECT_ID: process.env.PROJECT_ID || 'demo-saga',
    PUBSUB_EMULATOR_HOST: process.env.PUBSUB_EMULATOR_HOST || '127.0.0.1:8085',
    FIRESTORE_EMULATOR_HOST: process.env.FIRESTORE_EMULATOR_HOST || '127.0.0.1:8086',
  };
  const config = readConfig(environment, pipeline);
  makeDataFolder();
  const isHeardAlone = isLoopback(config.host) && config.trustedProxies === 0;
  const stack: { stop(): Promise<void> }[] = [];
  const stopAll = async () => {
    // Stop in reverse: what was started last depends on what was started first.
    for (const part of stack.toReversed()) await part.stop();
  };
  try {
    const { pubsubHost, firestoreHost, stop } = await startEmulators(
      portIn(environment.PUBSUB_EMULATOR_HOST),
      portIn(environment.FIRESTORE_EMULATOR_HOST),
      end,
    );
    stack.push({ stop });
    const relays = { store: await openRelay(firestoreHost), broker: await openRelay(pubsubHost) };
    stack.push({ stop: async () => void (await Promise.all([relays.store.close(), relays.broker.close()])) });
    const topology = topologyOf(pipeline);
    await createTopology(config.projectId, withRecords(topology));
    const ports = await openWorld(pipeline, shopData(), config);
    const services = allServices(pipeline, ports, config);
    stack.push({ stop: () => ports.bus.close() });
    const names = services.map(({ name }) => name);
    const processes = startServiceProcesses(
      names,
      {
        ...environment,
        PUBSUB_EMULATOR_HOST: relays.broker.address,
        FIRESTORE_EMULATOR_HOST: relays.store.address,
        // The gateway is one more of them. If it hears this machine alone, so do they, and need to trust none.
        TRUSTED_PROXIES: String(isHeardAlone ? 0 : config.trustedProxies + 1),
      },
      print,
      (service) => void plug.remind(service),
    );
    stack.push(processes);
    const log = createReadableLog(config.logLevel, 'gateway', names, print);
    const plug = processesPlug(names, processes, relays, topology, { ...ports, log }, end);
    // Before the services: one that is frozen could not finish.
    stack.push({ stop: plug.close });
    const own = { routes: plugRoutes(plug, log), gates: config };
    const app = gatewayApp(services, config.host, processes.portOf, log, { own });
    const gateway = await serveHttp(app, config.host, config.port);
    stack.push({ stop: () => gateway.close(1000) });
    await until('every service listens', START_LIMIT_MS, () =>
      names.every((name) => processes.portOf(name) !== undefined),
    );
    await ports.store.close();
    const variables = {
      PROJECT_ID: config.projectId,
      PUBSUB_EMULATOR_HOST: pubsubHost,
      FIRESTORE_EMULATOR_HOST: firestoreHost,
    };
    const removeNote = noteStack({ url: gateway.url, backend: 'gcp', variables });
    stack.push({ stop: async () => removeNote() });
    print(greeting(gateway.url, "Google's emulators. Ctrl-C stops everything; what it holds is then gone."));
    print(forGcloud(pubsubHost, config.projectId));
  } catch (error) {
    await stopAll();
    throw error;
  }
  return { close: stopAll };
});

function forGcloud(pubsubHost: string, projectId: string): string {
  return `\
These three variables point gcloud at it:

  export CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${pubsubHost}/
  export CLOUDSDK_CORE_PROJECT=${projectId}
  export CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true

  gcloud pubsub subscriptions pull payment-created-sub --auto-ack
`;
}
