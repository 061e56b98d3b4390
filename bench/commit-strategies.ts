import { cpus } from 'node:os';
import { type DocumentSnapshot, Firestore } from '@google-cloud/firestore';
import { v4 as uuidv4 } from 'uuid';
import type { z } from 'zod';
import { emulatorOptions } from '../adapters/google/emulator-options.ts';
import { createFirestoreStore } from '../adapters/google/firestore-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { reservations } from '../inventory/reservations.ts';
import { startEmulators } from '../local/emulators.ts';
import { create, update } from '../saga/commit/documents.ts';
import { BATCH_MAX, COMMIT_ATTEMPTS_MAX, groupCommit, type Task } from '../saga/commit/group-commit.ts';
import type { Path } from '../saga/ports/store.ts';
import { stock } from '../shop/stock.ts';

/**
 * Strategies for many orders that each take one unit of the same item: transactions with locks or guarded commits,
 * for each order or for a whole batch (docs/decisions/0002-guarded-batches-instead-of-transactions.md). Whatever the
 * strategy, an order reads the item and its own record, lowers the item by one and creates the record. Each strategy is
 * followed by one writer and by two that compete, on Google's Firestore emulator. A writer has a client of its own and
 * does one thing after the other.
 */

type Item = z.infer<typeof stock.schema>;

/** Does orders; returns those that it had to give up, which come again later, as in a redelivery. */
type Writer = (orders: readonly string[]) => Promise<readonly string[]>;

interface Strategy {
  readonly title: string;
  /** How many orders a writer takes at once. */
  readonly batchMax: number;
  openWriter(item: Path<Item>, record: (order: string) => Path): Writer;
}

interface Measurement {
  readonly ordersPerSecond: number;
  /** How often an order was given up and tried again. */
  readonly repeatedCount: number;
}

const PROJECT_ID = 'demo-bench';
const DATABASE_ID = '(default)';
/** Eight measurements, each with its warm-up, stay below a minute. */
const MEASURED_MS_MAX = 4_000;
const WARM_UP_MS_MAX = 1_000;
/** More than any of the strategies can do in the time. */
const STOCK = 1_000_000;
/** Enough for a stable rate; without batches the time is over long before. */
const ORDERS_MAX = 24_000;
const STORE_TIMEOUT_MS = 30_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const perSecond = (rate: number) => String(Math.round(rate)).padStart(6);

const emulators = await startEmulators(0, 0);
const firestore = openFirestore();

const strategies: readonly Strategy[] = [
  { title: 'a transaction per order', batchMax: 1, openWriter: transactionWriter },
  { title: 'a guarded commit per order', batchMax: 1, openWriter: guardedWriter },
  { title: `transactions of ${BATCH_MAX} orders`, batchMax: BATCH_MAX, openWriter: transactionWriter },
  { title: `guarded commits of ${BATCH_MAX} orders`, batchMax: BATCH_MAX, openWriter: guardedWriter },
];

print(`machine: ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`);
print(
  `at most ${MEASURED_MS_MAX / 1000} s each, after ${WARM_UP_MS_MAX / 1000} s to warm up; all for one item`,
);
const rates: { readonly one: number; readonly two: number }[] = [];
for (const strategy of strategies) {
  const one = await warmedUp(strategy, 1);
  const two = await warmedUp(strategy, 2);
  rates.push({ one: one.ordersPerSecond, two: two.ordersPerSecond });
  print(
    `${strategy.title.padEnd(32)} ${perSecond(one.ordersPerSecond)} orders/s by one writer, ` +
      `${perSecond(two.ordersPerSecond)} by two that compete (${two.repeatedCount} orders given up and repeated)`,
  );
}
for (const [first, second] of [
  [1, 0],
  [3, 2],
  [3, 0],
] as const) {
  printRatio(first, second);
}
print('the item is exact after every measurement');
await emulators.stop();
process.exit(0);

async function warmedUp(strategy: Strategy, writerCount: number): Promise<Measurement> {
  await measure(strategy, writerCount, WARM_UP_MS_MAX);
  return measure(strategy, writerCount, MEASURED_MS_MAX);
}

/**
 * Lets writers share a queue of orders until it is empty or the time is over.
 * @throws Error where the item and the records do not add up afterwards.
 */
async function measure(strategy: Strategy, writerCount: number, msMax: number): Promise<Measurement> {
  const itemName = uuidv4();
  const item = stock.of(itemName).path;
  await firestore.doc(item).create({ quantity: STOCK, price_per_unit: 10, loaded: STOCK });
  const writers = Array.from({ length: writerCount }, () =>
    strategy.openWriter(item, (order) => reservations.of(itemName, order).path),
  );
  // One order each before the clock runs: the connection of a new client is not what is measured.
  for (const writer of writers) await writer([uuidv4()]);
  const queue = Array.from({ length: ORDERS_MAX }, () => uuidv4());
  let doneCount = 0;
  let repeatedCount = 0;
  const startMs = performance.now();
  async function work(writer: Writer): Promise<void> {
    while (queue.length > 0 && performance.now() - startMs < msMax) {
      const orders = queue.splice(0, strategy.batchMax);
      const givenUp = await writer(orders);
      queue.push(...givenUp);
      doneCount += orders.length - givenUp.length;
      repeatedCount += givenUp.length;
    }
  }
  await Promise.all(writers.map(work));
  const elapsedMs = performance.now() - startMs;
  await assertExact(item, doneCount);
  return { ordersPerSecond: (1000 * doneCount) / elapsedMs, repeatedCount };
}

/** A writer that does the orders it takes in one transaction, with the locks that Firestore takes for it. */
function transactionWriter(item: Path<Item>, record: (order: string) => Path): Writer {
  const client = openFirestore();
  const takeUnits = (orders: readonly string[]) =>
    client.runTransaction(
      async (transaction) => {
        const itemReference = client.doc(item);
        const recordReferences = orders.map((order) => client.doc(record(order)));
        const [stock, ...reservations] = await transaction.getAll(itemReference, ...recordReferences);
        const { quantity, price_per_unit } = (stock as DocumentSnapshot).data() as Item;
        const absent = reservations.filter(({ exists }) => !exists);
        transaction.update(itemReference, { quantity: quantity - absent.length });
        for (const { ref } of absent) transaction.create(ref, { quantity: 1, price_per_unit });
      },
      { maxAttempts: COMMIT_ATTEMPTS_MAX },
    );
  return (orders) =>
    takeUnits(orders).then(
      () => [],
      () => orders,
    );
}

/** A writer that does the orders it takes as tasks of one group commit, as the services do. */
function guardedWriter(item: Path<Item>, record: (order: string) => Path): Writer {
  const store = createFirestoreStore({
    projectId: PROJECT_ID,
    databaseId: DATABASE_ID,
    timeoutMs: STORE_TIMEOUT_MS,
  });
  const environment = { clock: systemClock, random: Math.random };
  const takeUnit = (order: string): Task<void> => ({
    reads: () => [item, record(order)],
    decide(documents) {
      const { quantity, price_per_unit } = documents.get(item) as Item;
      const writes = [
        update(item, { quantity: quantity - 1 }),
        create(record(order), { quantity: 1, price_per_unit }),
      ];
      return { writes: documents.get(record(order)) === undefined ? writes : [], result: undefined };
    },
  });
  return async (orders) => {
    const settled = await groupCommit(store, environment, orders.map(takeUnit));
    return orders.filter((_, index) => settled[index]?.status === 'rejected');
  };
}

async function assertExact(item: Path<Item>, doneCount: number): Promise<void> {
  const { quantity } = (await firestore.doc(item).get()).data() as Item;
  const records = (await firestore.collection(`${item}/orders`).count().get()).data().count;
  if (STOCK - quantity !== records || records < doneCount) {
    throw new Error(
      `${STOCK - quantity} units are gone, ${records} records exist, ${doneCount} orders are done`,
    );
  }
}

function openFirestore(): Firestore {
  return new Firestore({
    projectId: PROJECT_ID,
    databaseId: DATABASE_ID,
    preferRest: false,
    ...emulatorOptions(process.env.FIRESTORE_EMULATOR_HOST),
  });
}

/** How many times as fast one strategy was as another, in this run. */
function printRatio(first: number, second: number): void {
  const ratio = (writers: 'one' | 'two') => (rates[first]?.[writers] ?? 0) / (rates[second]?.[writers] ?? 0);
  print(
    `${strategies[first]?.title} : ${strategies[second]?.title} = ` +
      `${ratio('one').toFixed(1)} by one writer, ${ratio('two').toFixed(1)} by two`,
  );
}
