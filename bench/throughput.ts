import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { v4 as uuidv4 } from 'uuid';
import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { createTraceBudget } from '../adapters/telemetry/sampling.ts';
import { openTelemetry } from '../adapters/telemetry/telemetry.ts';
import { loadData } from '../data-init/load-data.ts';
import { createOrderIntake } from '../frontend/accept-orders.ts';
import { startEmulators } from '../local/emulators.ts';
import { orchestrator } from '../orchestrator/service.ts';
import { pipeline } from '../pipeline.ts';
import { readConfig } from '../programs/config.ts';
import { openPorts } from '../programs/open-ports.ts';
import { inboxesOf } from '../saga/deliver/inbox.ts';
import { serviceOf } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import type { Bus } from '../saga/ports/bus.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { readOne } from '../saga/ports/store.ts';
import type { Order } from '../shop/order.ts';
import { stock } from '../shop/stock.ts';
import { plenty, withFurtherAccounts } from '../test/support/data.ts';

/**
 * How many orders a second go from acceptance to the announcement that their parcels are under way, when every one of them wants
 * the same item: as far as they go without a courier. One process runs the frontend's order intake, all steps and the orchestrator;
 * the broker and the store are Google's emulators.
 *   --mode orchestration   the same steps by the orchestrator
 *   --backend memory       the embedded engine; --backend durable: with its data in a temporary folder
 */

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '20000' },
    warmup: { type: 'string', default: '10000' },
    backend: { type: 'string', default: 'emulators' },
    mode: { type: 'string', default: 'choreography' },
    telemetry: { type: 'string', default: 'off' },
    traced: { type: 'string', default: 'some' },
  },
});
const orderCount = Number(values.orders);
const warmupCount = Number(values.warmup);
const topology = topologyOf(pipeline);
/** What is announced of an order that has come as far as it can by itself. */
const LAST_TOPIC =
  pipeline.steps.find(({ waits, heldSince }) => waits?.as === heldSince)?.waits?.announces ??
  pipeline.topicOf(pipeline.success);
const mode = modeIn(values.mode);
const ITEM = 'widget';
/** How many place an order at the same time. */
const CUSTOMERS = 960;
const print = (line: string) => process.stdout.write(`${line}\n`);

const mayBeginTrace = createTraceBudget();
const ended = new Set<string>();
let allEnded = () => {};
let expected = 0;

const emulators = values.backend === 'emulators' ? await startEmulators(0, 0) : undefined;
const folder = values.backend === 'durable' ? mkdtempSync(join(tmpdir(), 'order-saga-')) : undefined;
const backend = emulators
  ? { PUBSUB_EMULATOR_HOST: emulators.pubsubHost, FIRESTORE_EMULATOR_HOST: emulators.firestoreHost }
  : { BACKEND: 'memory' };
const patience = { STORE_TIMEOUT_MS: '30000', PUBLISH_TIMEOUT_MS: '30000' };
const config = readConfig({ ...backend, ...patience, PROJECT_ID: 'demo-bench' }, pipeline);
if (emulators) await createTopology(config.projectId, topology);
const opened = await openPorts(
  config,
  topology,
  () => {},
  folder ? { path: folder, fresh: false } : undefined,
);
/** With `--telemetry otlp`, orders are traced: as many as by default, or with `--traced all` every one. */
const telemetry = await openTelemetry(
  { telemetry: telemetryIn(values.telemetry), metrics: 'off', projectId: 'demo-bench' },
  pipeline,
  'bench',
  (severity, message, fields) => print(`${severity} ${message} ${JSON.stringify(fields)}`),
);
const ports: Ports = telemetry.ports({ ...opened, bus: notingEnds(opened.bus) });
const counted = {
  users: { jack: { address: 'here' } },
  inventory: { [ITEM]: { quantity: warmupCount + orderCount + 7, price_per_unit: 10 } },
};
await loadData(pipeline, ports.store, ports, withFurtherAccounts(counted, pipeline, plenty));

const subscribed = [...pipeline.steps, orchestrator]
  .map(({ name }) => telemetry.service(serviceOf(pipeline, name, ports, config)))
  .flatMap((service) => inboxesOf(service, topology));
for (const { subscription, inbox } of subscribed) inbox.pull(ports.bus, subscription, fail);

const intake = createOrderIntake(pipeline, ports, config.deadlineSeconds);
await run(warmupCount);
const cpuBefore = process.cpuUsage();
const { acceptedMs, endedMs } = await run(orderCount);
const { user, system } = process.cpuUsage(cpuBefore);
const left = (await readOne(ports.store, stock.of(ITEM).path))?.quantity;

print(`machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`);
print(
  `backend: ${values.backend}; mode: ${values.mode}; telemetry: ${values.telemetry}; ${orderCount} orders after ${warmupCount} to warm up, all for one item`,
);
print(`accepted: ${Math.round((1000 * orderCount) / acceptedMs)} orders/s`);
print(`under way: ${Math.round((1000 * orderCount) / endedMs)} orders/s, ${Math.round(endedMs)} ms in all`);
print(`CPU of this process: ${((user + system) / 1000 / orderCount).toFixed(3)} ms per order`);
print(`stock: ${left === 7 ? 'exact' : `WRONG: ${left} left instead of 7`}`);

await Promise.all(subscribed.map(({ inbox }) => inbox.close(5000)));
await emulators?.stop();
if (folder) rmSync(folder, { recursive: true });
process.exit(left === 7 ? 0 : 1);

/** Counts an order when the broker has its last message. A reader of that topic would only slow the rest down. */
function notingEnds(bus: Bus): Bus {
  return {
    ...bus,
    async publish(messages) {
      const results = await bus.publish(messages);
      for (const [index, { topic, attributes }] of messages.entries()) {
        if (topic === LAST_TOPIC && !results[index]) ended.add(attributes['ce-subject'] ?? '');
      }
      if (ended.size === expected) allEnded();
      return results;
    },
  };
}

/** Places orders and waits until all have come as far as they can. */
async function run(count: number): Promise<{ acceptedMs: number; endedMs: number }> {
  expected = ended.size + count;
  const finished = new Promise<void>((resolve) => {
    allEnded = resolve;
  });
  const startMs = performance.now();
  const order: Order = { user: 'jack', items: [{ item: ITEM, quantity: 1 }], ...mode };
  for (let placed = 0; placed < count; placed += CUSTOMERS) {
    const customers = Math.min(CUSTOMERS, count - placed);
    await Promise.all(Array.from({ length: customers }, () => placeOrder(order)));
  }
  const acceptedMs = performance.now() - startMs;
  if (count > 0) await finished;
  return { acceptedMs, endedMs: performance.now() - startMs };
}

/** As a request does that is traced where the budget allows it, or in any case; without telemetry, none is. */
function placeOrder(order: Order): Promise<Ledger> {
  const uuid = uuidv4();
  const isTraced = values.traced === 'all' || mayBeginTrace();
  const trace = `00-${uuid.replaceAll('-', '')}-${uuid.slice(0, 8)}00000001-${isTraced ? '01' : '00'}`;
  return intake.accept(uuid, order, true, values.telemetry === 'off' ? undefined : trace);
}

function modeIn(text: string): Pick<Order, 'mode'> {
  if (text === 'choreography') return {};
  if (text === 'orchestration') return { mode: text };
  throw new Error(`--mode is choreography or orchestration, not ${text}`);
}

function telemetryIn(text: string): 'off' | 'otlp' {
  if (text === 'off' || text === 'otlp') return text;
  throw new Error(`--telemetry is off or otlp, not ${text}`);
}

function fail(error: Error): never {
  throw error;
}
