import { createLog } from '../adapters/log.ts';
import { noTelemetry, openTelemetry } from '../adapters/telemetry/telemetry.ts';
import { type Data, loadData } from '../data-init/load-data.ts';
import { type Config, readConfig } from '../programs/config.ts';
import { hostServices } from '../programs/host.ts';
import { type DataFolder, openPorts } from '../programs/open-ports.ts';
import { announceStanding } from '../saga/deliver/announce-standing.ts';
import { allServices, serviceNames, serviceOf } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import type { Log } from '../saga/ports/log.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Path } from '../saga/ports/store.ts';
import type { Saga } from '../saga/step/saga.ts';
import { embeddedPlug } from './plug/embedded-plug.ts';
import { plugRoutes } from './plug/plug-routes.ts';

/** How to start locally. */
export interface LocalOptions {
  readonly onEmulators: boolean;
  /** Is called if the process can't go on. */
  readonly end: (error: Error) => void;
  /** Variables that count instead of those of the environment; by default any free port is taken. */
  readonly variables?: NodeJS.ProcessEnv;
  /** By default only warnings are logged. */
  readonly openLog?: (config: Config) => Log;
  /** Ends this process as SIGKILL does. With it, operators can pull the plug (`local/plug/`). */
  readonly crash?: () => void;
  /** Where the embedded engine keeps its documents; without it, in memory alone. */
  readonly folder?: DataFolder;
}

/**
 * Starts all services of a saga in this process: on the embedded engine, or on Google's emulators, which it starts, too.
 * @param data the accounts before the first order.
 */
export async function startLocally(
  saga: Saga,
  data: Data,
  {
    onEmulators,
    end,
    variables = { PORT: '0' },
    openLog = () => createLog('warn', { service: saga.name }),
    crash,
    folder,
  }: LocalOptions,
): Promise<{ readonly url: string; readonly ports: Ports; close(): Promise<void> }> {
  // Loaded only if it is needed: what starts processes takes half a second to load.
  const emulators = onEmulators
    ? await (await import('./emulators.ts')).startEmulators(0, 0, end)
    : undefined;
  const backend = emulators ? { BACKEND: 'gcp', PROJECT_ID: `demo-${saga.name}` } : { BACKEND: 'memory' };
  const config = readConfig({ ...process.env, ...variables, ...backend, SUBSCRIBER: 'pull' }, saga);
  const log = openLog(config);
  const telemetry = await openTelemetry(config, saga, saga.name, log);
  const ports = await openWorld(saga, data, config, log, telemetry, folder);
  const plug = crash && embeddedPlug(ports, serviceNames(saga), crash);
  const services = plug
    ? [
        ...plug.services.map((name) => serviceOf(saga, name, plug.portsOf(name), config)),
        { name: 'plug', consumers: [], routes: () => plugRoutes(plug, log) },
      ]
    : allServices(saga, ports, config);
  const host = await hostServices(saga, services, plug?.ports ?? ports, config, end, telemetry);
  // The embedded broker has forgotten everything.
  const announced = folder && (await announceStanding(saga, ports));
  log('INFO', `${saga.name}: listens on ${host.url}`, { pid: process.pid, announced });
  return {
    url: host.url,
    ports,
    async close() {
      // First: what is frozen could not finish.
      await plug?.close();
      await host.close();
      await emulators?.stop();
    },
  };
}

/** Connects to the embedded engine, or to emulators with the topology of the saga, and loads what is there at first. */
export async function openWorld(
  saga: Saga,
  data: Data,
  config: Config,
  log: Log = () => {},
  telemetry = noTelemetry,
  folder?: DataFolder,
): Promise<Ports> {
  const topology = topologyOf(saga);
  if (config.backend === 'gcp') {
    const { createTopology } = await import('../adapters/google/pubsub-topology.ts');
    await createTopology(config.projectId, topology);
  }
  const ports = telemetry.ports(await openPorts(config, topology, log, folder));
  await (folder ? loadOnce(saga, ports, data) : loadData(saga, ports.store, ports, data));
  return ports;
}

/** Loads each collection once. What was taken out since must not come back, such as a customer who was erased. */
async function loadOnce(saga: Saga, ports: Ports, data: Data): Promise<void> {
  const markOf = (collection: string): Path => `loaded/${collection}`;
  const marks = await ports.store.read(Object.keys(data).map(markOf));
  const isNew = (collection: string) => marks.get(markOf(collection)) === undefined;
  const added = Object.fromEntries(Object.entries(data).filter(([collection]) => isNew(collection)));
  await loadData(saga, ports.store, ports, added);
  const fields = { at: ports.clock.now() };
  await ports.store.commit(
    Object.keys(added).map((collection) => ({ kind: 'create', path: markOf(collection), fields })),
  );
}
