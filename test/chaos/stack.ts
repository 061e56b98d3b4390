import { PubSub } from '@google-cloud/pubsub';
import { emulatorOptions } from '../../adapters/google/emulator-options.ts';
import { createTopology } from '../../adapters/google/pubsub-topology.ts';
import { serveHttp } from '../../adapters/http/http-server.ts';
import { createLog } from '../../adapters/log.ts';
import { type Data, loadData } from '../../data-init/load-data.ts';
import { gatewayApp } from '../../local/gateway.ts';
import { startServiceProcesses } from '../../local/service-processes.ts';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { readConfig } from '../../programs/config.ts';
import { openPorts } from '../../programs/open-ports.ts';
import { allServices } from '../../saga/deliver/service.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import type { Store } from '../../saga/ports/store.ts';
import { VARIABLES } from '../support/builders.ts';
import { type Door, hangDoor } from '../support/door.ts';

/** The whole pipeline, each service its own process, with a door between the services and each emulator. */
export interface Stack {
  /** One port in front of all services. */
  readonly url: string;
  readonly services: readonly string[];
  readonly doors: { readonly pubsub: Door; readonly firestore: Door };
  /** These two do not pass through the doors: whoever watches sees what is there, whatever the services see. */
  readonly store: Store;
  readonly bus: Bus;
  /** When a service last logged anything, by `performance.now()`. */
  lastLineAtMs(): number;
  /** What the services have logged so far, as far as it matches. */
  lines(pattern: RegExp): string[];
  /** Resolves with the next line of the log that matches; lines of before don't count. Rejects when none comes. */
  nextLine(pattern: RegExp): Promise<string>;
  portOf(service: string): number | undefined;
  /** Ends a service at once. Resolves when it is gone; it is then started again. */
  kill(service: string): Promise<void>;
  /** Tells a service to end. Resolves when it is gone, with how long that took and how it ended. */
  terminate(service: string): Promise<{ durationMs: number; manner: string }>;
  /** Resolves when a service listens. */
  isUp(service: string): Promise<void>;
  /** Has the broker send everything again that it ever sent to a service. */
  replayAll(): Promise<void>;
  /** Takes messages away from a subscription, as a person does who pulls with auto-ack. Returns what they said. */
  steal(subscription: string, messagesMax: number): Promise<string[]>;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly projectId: string;
  readonly pubsubHost: string;
  readonly firestoreHost: string;
  readonly topology: Topology;
  readonly data: Data;
  /** What the services are told besides, such as their timeouts. */
  readonly environment: Readonly<Record<string, string>>;
  /** Is told every line that the services log. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** How long a service may take to come up again, on a machine that has much else to do. */
const START_LIMIT_MS = 60_000;
/** Longer than anything takes that a line is waited for. */
const LINE_LIMIT_MS = 120_000;

/** Starts a pipeline in a project of its own on emulators that run already. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { projectId, pubsubHost, firestoreHost, topology } = options;
  // Google's clients of this process read them once, when they are made.
  process.env.PUBSUB_EMULATOR_HOST = pubsubHost;
  process.env.FIRESTORE_EMULATOR_HOST = firestoreHost;
  const bornAt = new Date();
  const doors = { pubsub: await hangDoor(pubsubHost), firestore: await hangDoor(firestoreHost) };
  const { PATH, HOME } = process.env;
  const environment = {
    PATH,
    HOME,
    BACKEND: 'gcp',
    PROJECT_ID: projectId,
    PUBSUB_EMULATOR_HOST: doors.pubsub.address,
    FIRESTORE_EMULATOR_HOST: doors.firestore.address,
    ...VARIABLES,
    ...options.environment,
  };
  // Whoever watches has more patience than the services.
  const config = readConfig(
    { ...environment, STORE_TIMEOUT_MS: '60000', PUBLISH_TIMEOUT_MS: '60000' },
    pipeline,
  );
  await createTopology(projectId, topology);
  const pubsub = new PubSub({ projectId, ...emulatorOptions(pubsubHost) });
  const readByServices = Object.entries(topology.subscriptions).flatMap(([name, { service }]) =>
    service === undefined ? [] : [pubsub.subscription(name)],
  );
  // Without this the broker forgets what was acked, and could not send it again.
  await Promise.all(
    readByServices.map((subscription) => subscription.setMetadata({ retainAckedMessages: true })),
  );
  const ports = await openPorts(config, topology, createLog('silent', {}));
  await loadData(pipeline, ports.store, ports, options.data);
  const services = allServices(pipeline, ports, config);
  const names = services.map(({ name }) => name);

  const lines: string[] = [];
  let lastLineAtMs = performance.now();
  const watchers = new Set<(line: string) => void>();
  const processes = startServiceProcesses(names, environment, (line) => {
    lines.push(line);
    options.onLine?.(line);
    lastLineAtMs = performance.now();
    for (const watch of watchers) watch(line);
  });
  for (const door of Object.values(doors)) door.open();
  const gateway = await serveHttp(
    gatewayApp(services, config.host, processes.portOf, () => {}),
    config.host,
    0,
  );

  function nextLine(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const watch = (line: string) => {
        if (!pattern.test(line)) return;
        forget();
        resolve(line);
      };
      const forget = () => {
        clearTimeout(timer);
        watchers.delete(watch);
      };
      const timer = setTimeout(() => {
        forget();
        reject(new Error(`No service said anything like ${pattern} within ${LINE_LIMIT_MS / 1000} s`));
      }, LINE_LIMIT_MS);
      watchers.add(watch);
    });
  }

  const isUp = (service: string) =>
    until(`${service} listens`, START_LIMIT_MS, () => processes.portOf(service) !== undefined);

  async function signal(service: string, name: NodeJS.Signals): Promise<string> {
    await isUp(service);
    const gone = nextLine(new RegExp(`${service} +ended \\(`));
    process.kill(processes.pidOf(service) as number, name);
    return /ended \((.*?)\)/.exec(await gone)?.[1] ?? '';
  }

  const stack: Stack = {
    url: `http://${config.host}:${gateway.port}`,
    services: names,
    doors,
    store: ports.store,
    bus: ports.bus,
    lastLineAtMs: () => lastLineAtMs,
    lines: (pattern) => lines.filter((line) => pattern.test(line)),
    nextLine,
    portOf: processes.portOf,
    async kill(service) {
      await signal(service, 'SIGKILL');
    },
    async terminate(service) {
      await isUp(service);
      const startMs = performance.now();
      const manner = await signal(service, 'SIGTERM');
      return { durationMs: Math.round(performance.now() - startMs), manner };
    },
    isUp,
    async replayAll() {
      await Promise.all(readByServices.map((subscription) => subscription.seek(bornAt)));
    },
    async steal(subscription, messagesMax) {
      const ask = async (method: string, body: object) => {
        const url = `http://${pubsubHost}/v1/projects/${projectId}/subscriptions/${subscription}:${method}`;
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
        if (!response.ok) throw new Error(`${method} on ${subscription}: ${await response.text()}`);
        return (await response.json()) as {
          receivedMessages?: { ackId: string; message: { data: string } }[];
        };
      };
      const { receivedMessages = [] } = await ask('pull', { maxMessages: messagesMax });
      const ackIds = receivedMessages.map(({ ackId }) => ackId);
      if (ackIds.length > 0) await ask('acknowledge', { ackIds });
      return receivedMessages.map(({ message }) => Buffer.from(message.data, 'base64').toString());
    },
    async close() {
      for (const door of Object.values(doors)) door.open();
      await gateway.close(1000);
      await processes.stop();
      await Promise.all([ports.bus.close(), pubsub.close()]);
      await ports.store.close();
      await Promise.all(Object.values(doors).map((door) => door.remove()));
    },
  };
  try {
    await Promise.all(names.map(isUp));
    return stack;
  } catch (error) {
    await stack.close();
    throw error;
  }
}
