import { parseArgs } from 'node:util';
import { createFirestoreStore } from '../adapters/firestore-store.ts';
import { createMemoryStore } from '../adapters/memory-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { startEmulators } from '../infra/emulators.ts';
import { itemPath } from '../inventory/documents.ts';
import { expectedRecords } from '../janitor/expected-records.ts';
import { takeAudit } from '../janitor/take-audit.ts';
import { userPath } from '../order/documents.ts';
import { advance, receive, type Saga, sagaPath } from '../saga/ledger.ts';
import type { GuardedWrite, Store } from '../saga/store.ts';

/**
 * How long an audit of many orders takes, and that its memory does not grow with them. All orders are paid, of one item
 * and one of a few customers. On the emulator the store is another process, so that what is measured is the audit's.
 * Run with --expose-gc, so that what is live is told from what is only not yet collected.
 */
const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '100000' },
    backend: { type: 'string', default: 'emulators' },
  },
});
const orderCount = Number(values.orders);
const USERS = 10;
const PRICE = 10;
const ORDERS_PER_COMMIT = 120;
const print = (line: string) => process.stdout.write(`${line}\n`);

const { store, stop } = values.backend === 'memory' ? openMemory() : await openEmulator();
await fill(store);

let peakBytes = 0;
let pages = 0;
const liveBytes = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const before = liveBytes();
const startMs = performance.now();
const report = await takeAudit({ store, clock: systemClock }, () => {
  pages++;
  if (pages % 50 === 0) peakBytes = Math.max(peakBytes, liveBytes() - before);
});
const seconds = (performance.now() - startMs) / 1000;
print(
  `${orderCount} orders on ${values.backend}: ${report.violationCount} violations in ${seconds.toFixed(1)} s ` +
    `(${Math.round(orderCount / seconds)} orders/s), at most ${(peakBytes / 1024 / 1024).toFixed(1)} MiB live beyond the start`,
);
await stop();
process.exit(0);

function openMemory() {
  return { store: createMemoryStore(), stop: async () => {} };
}

async function openEmulator() {
  const emulators = await startEmulators(0, 0);
  process.env.FIRESTORE_EMULATOR_HOST = emulators.firestoreHost;
  const firestore = createFirestoreStore({
    projectId: 'demo-audit',
    databaseId: '(default)',
    timeoutMs: 60_000,
  });
  return { store: firestore, stop: () => emulators.stop() };
}

async function fill(into: Store): Promise<void> {
  const limit = orderCount * PRICE;
  const left = (user: number) =>
    limit - PRICE * (Math.floor(orderCount / USERS) + (user < orderCount % USERS ? 1 : 0));
  await into.commit([
    {
      kind: 'create',
      path: itemPath('widget'),
      fields: { quantity: 0, price_per_unit: PRICE, loaded: orderCount },
    },
    ...Array.from({ length: USERS }, (_, user) => ({
      kind: 'create' as const,
      path: userPath(`user-${user}`),
      fields: { address: 'here', credit: left(user), credit_limit: limit },
    })),
  ]);
  for (let first = 0; first < orderCount; first += ORDERS_PER_COMMIT) {
    const count = Math.min(ORDERS_PER_COMMIT, orderCount - first);
    await into.commit(Array.from({ length: count }, (_, index) => writesOf(first + index)).flat());
    if (first % (ORDERS_PER_COMMIT * 100) === 0) process.stderr.write(`${first} orders written\n`);
  }
}

function writesOf(number: number): GuardedWrite[] {
  const saga = paid(number);
  return [{ path: sagaPath(saga.uuid), fields: saga }, ...expectedRecords(saga)].map(({ path, fields }) => ({
    kind: 'create',
    path,
    fields,
  }));
}

function paid(number: number): Saga {
  const now = systemClock.now();
  const uuid = `${number.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;
  const order = { user: `user-${number % USERS}`, items: [{ item: 'widget', quantity: 1 }] };
  const created = advance(receive(uuid, order, 'frontend', now), 'order', 'CREATED', {}, now);
  const items = [{ item: 'widget', quantity: 1, price_per_unit: PRICE }];
  const reserved = advance(created, 'inventory', 'RESERVED', { items }, now);
  return advance(reserved, 'payments', 'PAID', { total_invoice: PRICE, charged: PRICE }, now);
}
