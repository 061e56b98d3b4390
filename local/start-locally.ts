import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { createLog } from '../adapters/log.ts';
import { type Data, loadData } from '../data-init/load-data.ts';
import { readConfig } from '../programs/config.ts';
import { hostServices, openPorts } from '../programs/host.ts';
import { allServices } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Saga } from '../saga/step/saga.ts';
import { startEmulators } from './emulators.ts';

/**
 * Starts all services of a saga in this process, on any free port: on the embedded engine, or on Google's emulators, which it
 * starts, too.
 * @param data the accounts before the first order.
 * @param end is called if the process can't go on.
 */
export async function startLocally(
  saga: Saga,
  data: Data,
  { onEmulators, end }: { readonly onEmulators: boolean; readonly end: (error: Error) => void },
): Promise<{ readonly ports: Ports; close(): Promise<void> }> {
  const emulators = onEmulators ? await startEmulators(0, 0, end) : undefined;
  // Google's clients read these variables, too.
  if (emulators) {
    process.env.PUBSUB_EMULATOR_HOST = emulators.pubsubHost;
    process.env.FIRESTORE_EMULATOR_HOST = emulators.firestoreHost;
  }
  const backend = emulators ? { BACKEND: 'gcp', PROJECT_ID: `demo-${saga.name}` } : { BACKEND: 'memory' };
  const config = readConfig({ ...process.env, SUBSCRIBER: 'pull', PORT: '0', ...backend }, saga);
  const topology = topologyOf(saga);
  if (emulators) await createTopology(config.projectId, topology);
  const ports = openPorts(config, topology, createLog('warn', { service: saga.name }));
  await loadData(saga, ports.store, ports, data);
  const services = allServices(saga, ports, config);
  const host = await hostServices(saga, services, ports, config, end);
  return {
    ports,
    async close() {
      await host.close();
      await emulators?.stop();
    },
  };
}
