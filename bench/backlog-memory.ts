import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { v4 as uuidv4 } from 'uuid';
import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { loadData } from '../data-init/load-data.ts';
import { createOrderIntake } from '../frontend/accept-orders.ts';
import { startEmulators } from '../local/emulators.ts';
import { until } from '../local/until.ts';
import { pipeline } from '../pipeline.ts';
import { readConfig } from '../programs/config.ts';
import { openPorts } from '../programs/open-ports.ts';
import { inboxesOf } from '../saga/deliver/inbox.ts';
import { serviceOf } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import type { Bus } from '../saga/ports/bus.ts';
import { readOne } from '../saga/ports/store.ts';
import { stock } from '../shop/stock.ts';
import { plenty, withFurtherAccounts } from '../test/support/data.ts';

/**
 * How much memory the inventory service takes to clear a backlog. Orders pile up on Google's emulators while the service is away;
 * then it starts as a process of its own, and says at the end how much memory it has had at most. The same service without a
 * backlog comes first, for comparison.
 * Usage: npm run bench:backlog -- [--messages 20000] [--lines 1] [--runs 3] [-- "FLAGS" …]
 * Each further argument is a set of flags of Node, to be compared in alternation; by default those of the image.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    messages: { type: 'string', default: '20000' },
    lines: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
  },
});
const [messageCount, lineCount, runCount] = [values.messages, values.lines, values.runs].map(Number) as [
  number,
  number,
  number,
];
const variants = positionals.length > 0 ? positionals : ['--max-old-space-size=256'];
const SERVICE = 'inventory';
const FIRST_STEP = pipeline.steps[0];
const TOPIC = FIRST_STEP?.announces;
/** How many place an order at the same time. */
const CUSTOMERS = 960;
const CLEAR_LIMIT_MS = 600_000;
const print = (line: string) => process.stdout.write(`${line}\n`);

const emulators = await startEmulators(0, 0);
const environment = {
  PUBSUB_EMULATOR_HOST: emulators.pubsubHost,
  FIRESTORE_EMULATOR_HOST: emulators.firestoreHost,
  STORE_TIMEOUT_MS: '30000',
  PUBLISH_TIMEOUT_MS: '30000',
  PROJECT_ID: 'demo-bench',
};
const topology = topologyOf(pipeline);
const config = readConfig(environment, pipeline);
await createTopology(config.projectId, topology);
const opened = await openPorts(config, topology, () => {});
const items = Array.from({ length: lineCount }, (_, index) => `item-${index}`);
const counted = {
  users: { jack: { address: 'here' } },
  inventory: Object.fromEntries(items.map((item) => [item, { quantity: 1e9, price_per_unit: 10 }])),
};
await loadData(pipeline, opened.store, opened, withFurtherAccounts(counted, pipeline, plenty));
/** By uuid: an order whose message comes again is announced again. */
const announced = new Set<string>();
const ports = { ...opened, bus: notingAnnounced(opened.bus) };
const intake = createOrderIntake(pipeline, ports, config.deadlineSeconds);

const idle = await runService('');
print(`without a backlog: ${idle.peak} MB`);
for (let run = 0; run < runCount; run++) {
  for (const flags of run % 2 === 0 ? variants : variants.toReversed()) {
    await pileUp();
    const left = await quantityLeft();
    const startMs = performance.now();
    const { peak } = await runService(flags, async () => (await quantityLeft()) <= left - messageCount);
    const seconds = (performance.now() - startMs) / 1000;
    print(
      `${messageCount} messages of ${lineCount} lines, node ${flags}: at most ${peak} MB, ${seconds.toFixed(1)} s`,
    );
  }
}
await Promise.all([opened.bus.close(), opened.store.close()]);
await emulators.stop();

/** Orders come in and are created, and wait for the inventory service. */
async function pileUp(): Promise<void> {
  const wanted = announced.size + messageCount;
  const service = serviceOf(pipeline, FIRST_STEP?.name ?? '', ports, config);
  const subscribed = inboxesOf(service, topology);
  for (const { subscription, inbox } of subscribed) {
    inbox.pull(ports.bus, subscription, (error) => {
      throw error;
    });
  }
  const order = { user: 'jack', items: items.map((item) => ({ item, quantity: 1 })) };
  for (let placed = 0; placed < messageCount; placed += CUSTOMERS) {
    const customers = Math.min(CUSTOMERS, messageCount - placed);
    await Promise.all(
      Array.from({ length: customers }, () => intake.accept(uuidv4(), order, true, undefined)),
    );
  }
  await until('every order is created', CLEAR_LIMIT_MS, () => announced.size >= wanted);
  await Promise.all(subscribed.map(({ inbox }) => inbox.close(5000)));
}

function notingAnnounced(bus: Bus): Bus {
  return {
    ...bus,
    async publish(messages) {
      const results = await bus.publish(messages);
      for (const [index, { topic, attributes }] of messages.entries()) {
        if (topic === TOPIC && !results[index]) announced.add(attributes['ce-subject'] ?? '');
      }
      return results;
    },
  };
}

/** Of the item that comes last: all of an order is taken in one commit. */
async function quantityLeft(): Promise<number> {
  return Number((await readOne(opened.store, stock.of(items.at(-1) ?? '').path))?.quantity);
}

/**
 * Runs the service until all is done.
 * @returns the most memory that it has had, in MB.
 */
async function runService(
  flags: string,
  isDone: () => boolean | Promise<boolean> = () => true,
): Promise<{ peak: number }> {
  const tellsMemory = 'data:text/javascript,process.on("message",()=>process.send(process.resourceUsage()))';
  const child = fork(fileURLToPath(new URL('../programs/service.js', import.meta.url)), [SERVICE], {
    execArgv: ['--enable-source-maps', '--import', tellsMemory, ...flags.split(' ').filter((flag) => flag)],
    env: { ...process.env, ...environment, PORT: '0', LOG_LEVEL: 'error' },
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.once('message', resolve));
  await until('the backlog is cleared', CLEAR_LIMIT_MS, isDone);
  const answer = new Promise<NodeJS.ResourceUsage>((resolve) => child.once('message', resolve as never));
  child.send('how much?');
  const { maxRSS } = await answer;
  child.kill('SIGTERM');
  await exited;
  return { peak: Math.round(maxRSS / 1024) };
}
