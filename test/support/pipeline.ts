import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { noTelemetry } from '../../adapters/telemetry/telemetry.ts';
import { loadData } from '../../data-init/load-data.ts';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { type Host, type HostOptions, hostServices } from '../../programs/host.ts';
import { allServices, type ServiceSettings } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { LEDGERS, type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Path, readOne, type Store } from '../../saga/ports/store.ts';
import { wordTask } from '../../saga/step/hear-word.ts';
import { holdsOf, recordsIn } from '../../saga/step/holds.ts';
import type { Saga, WaitingStep } from '../../saga/step/saga.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';
import { allDocuments } from './all-documents.ts';
import { SETTINGS, wordOf } from './builders.ts';
import { withCheckedAnswers } from './checked-answers.ts';
import { dataFor } from './data.ts';
import { emulatedBus, emulatedStore, freshProjectId } from './emulators.ts';
import { sampled } from './thorough.ts';
import { type TrackingBus, trackingBus } from './tracking-bus.ts';

/** The store and the broker that a pipeline runs on. */
export interface Backend {
  readonly name: string;
  /** Opens both, empty. Called in a hook, whose context it may skip. */
  open(context: Mocha.Context): Promise<{ store: Store; bus: Bus }>;
}

export const topology = topologyOf(pipeline);

export const backends: readonly Backend[] = [
  {
    name: 'the embedded engine',
    open: async () => ({ store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) }),
  },
  {
    name: "Google's emulators",
    async open(context) {
      const projectId = freshProjectId();
      return {
        store: await emulatedStore(context, projectId),
        bus: await emulatedBus(context, topology, projectId),
      };
    },
  },
];

/** Where a suite runs for which a sample need not start the emulators: what is particular to them, other suites show. */
export const sampledBackends = backends.slice(0, sampled(backends.length, 1));

/** What the tests of the pipeline start with. */
export const DATA = dataFor(pipeline);

/** An answer, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an API answers is what a test is about to find out.
  readonly body: any;
}

/** All services in this process, over HTTP. */
export interface Pipeline {
  readonly store: Store;
  readonly bus: TrackingBus;
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends JSON, or a text as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Posts an order and waits until nothing more happens. Returns its ledger. */
  order(body: object, headers?: Record<string, string>): Promise<OrderLedger>;
  /** Posts an order, and nobody says the words for which it waits: it has come to its wait, if it has one. Returns its ledger. */
  orderThatWaits(body: object, headers?: Record<string, string>): Promise<OrderLedger>;
  ledger(uuid: string): Promise<OrderLedger | undefined>;
  /** The paths of all records that there are of an order. */
  recordsOf(ledger: OrderLedger): Promise<string[]>;
  /** What is left of stock and credit, by name. */
  remaining(): Promise<Record<string, number | undefined>>;
  close(): Promise<void>;
}

/**
 * Starts the pipeline on a store and a bus.
 * @param wrap puts something between the services and the world, such as a store that counts.
 * @param saga another one, for a spec that spells out what all its steps leave behind.
 * @param gates who may call; by default operators are whoever is on this machine.
 * @param isSilent whether nobody says the words for which orders wait; by default somebody does, and they come to their ends.
 */
export async function startPipeline(
  { store, bus }: { store: Store; bus: Bus },
  wrap: (ports: Ports) => Partial<Ports> = () => ({}),
  telemetry = noTelemetry,
  saga: Saga = pipeline,
  gates: Partial<HostOptions> = {},
  { isSilent = false, settings = SETTINGS }: { isSilent?: boolean; settings?: ServiceSettings } = {},
): Promise<Pipeline> {
  const tracked = trackingBus(bus, topologyOf(saga));
  const world: Ports = {
    store,
    bus: tracked,
    clock: systemClock,
    random: Math.random,
    newUuid: uuidv4,
    log: () => {},
  };
  const ports: Ports = telemetry.ports({ ...world, ...wrap(world) });
  await loadData(saga, store, ports, dataFor(saga));
  const services = allServices(saga, ports, settings).map((service) => ({
    ...service,
    routes: () => service.routes().map(withCheckedAnswers),
  }));
  const host: Host = await hostServices(
    saga,
    services,
    ports,
    {
      host: '127.0.0.1',
      port: 0,
      backend: 'memory',
      subscriber: 'pull',
      pushIdentity: 'platform',
      operators: { by: 'loopback' },
      ...gates,
    },
    (error) => {
      throw error;
    },
    telemetry,
  );
  const url = `http://127.0.0.1:${host.port}`;

  /** Somebody says what orders wait for, until none does. */
  async function idle(): Promise<void> {
    await tracked.idle();
    const statuses = saga.steps.flatMap(({ waits }) => waits?.as ?? []);
    const found = await Promise.all(
      statuses.map((status) => store.query({ collection: LEDGERS, where: { status }, limit: 1000 })),
    );
    const waiting = found.flat() as Ledger[];
    if (waiting.length === 0) return;
    for (const { uuid, status } of waiting) {
      const step = saga.waitingIn(status) as WaitingStep;
      const by = step.waits.heardBy;
      await takeTurns(saga, by, [wordTask(saga, step, { uuid, word: wordOf(step.waits), by })], ports);
    }
    return idle();
  }

  const send = async (method: string, path: string, body: unknown, headers = {}): Promise<Answer> =>
    answerOf(
      await fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );

  const started: Pipeline = {
    store,
    bus: isSilent ? tracked : { ...tracked, idle },
    url,
    get: async (path, headers = {}) => answerOf(await fetch(url + path, { headers })),
    delete: async (path, headers = {}) => answerOf(await fetch(url + path, { method: 'DELETE', headers })),
    post: (path, body, headers) => send('POST', path, body, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    async order(body, headers) {
      const { uuid } = await started.orderThatWaits(body, headers);
      await started.bus.idle();
      return (await started.ledger(uuid)) as OrderLedger;
    },
    async orderThatWaits(body, headers) {
      const { status, body: answer } = await started.post('/order', body, headers);
      if (status !== 202) throw new Error(`The order was not accepted: ${JSON.stringify(answer)}`);
      await tracked.idle();
      return (await started.ledger(answer.uuid)) as OrderLedger;
    },
    ledger: (uuid) => readOne(store, ledgerPath(uuid) as Path<OrderLedger>),
    async recordsOf({ uuid }) {
      const paths = [...(await allDocuments(store, saga)).keys()];
      return paths.filter((path) => saga.records.some(({ namesIn }) => namesIn(path)?.at(-1) === uuid));
    },
    async remaining() {
      const items = Object.keys(DATA.inventory ?? {});
      const users = Object.keys(DATA.users ?? {});
      const found = await store.read([
        ...items.map((item) => stock.of(item).path),
        ...users.map((user) => customers.of(user).path),
      ]);
      const fieldsOf = (path: string) =>
        found.get(path)?.fields as { quantity?: number; credit?: number } | undefined;
      return Object.fromEntries([
        ...items.map((item) => [item, fieldsOf(stock.of(item).path)?.quantity]),
        ...users.map((user) => [user, fieldsOf(customers.of(user).path)?.credit]),
      ]);
    },
    close: () => host.close(),
  };
  return started;
}

/** The paths of the records that a ledger calls for, in the order in which `recordsOf` has them. */
export const recordsHeldBy = (ledger: OrderLedger, saga: Saga = pipeline): string[] =>
  recordsIn(holdsOf(saga, ledger))
    .map(({ path }) => path)
    .sort();

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}
