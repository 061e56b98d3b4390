import { parseArgs } from 'node:util';
import { systemClock } from '../adapters/system-clock.ts';
import { parcels } from '../delivery/parcels.ts';
import { reservations } from '../inventory/reservations.ts';
import { audit } from '../janitor/audit/audit.ts';
import { orderRecords } from '../order/order-records.ts';
import { invoices } from '../payments/invoices.ts';
import { pipeline } from '../pipeline.ts';
import { DEADLINE_SECONDS } from '../saga/ledger/deadline.ts';
import {
  advance,
  beginWait,
  type Ledger,
  ledgerPath,
  receive,
  resume,
  shardOf,
} from '../saga/ledger/ledger.ts';
import type { Path, Snapshot } from '../saga/ports/store.ts';
import { holdsOf, isAmount } from '../saga/step/holds.ts';
import { customers } from '../shop/customers.ts';
import { sales } from '../shop/sales.ts';
import { stock } from '../shop/stock.ts';

/**
 * How long an audit of very many orders takes by itself, and that its memory does not grow with them. The snapshot holds
 * nothing: it makes each document up when it is asked for, so that what is live is the audit's own. All orders are paid,
 * of one item and by one of a few customers. npm run bench:audit runs it with --expose-gc, so that what is live is told from
 * what is only not yet collected; -- --orders 1000000 for more.
 */
const { values } = parseArgs({ options: { orders: { type: 'string', default: '100000' } } });
const orderCount = Number(values.orders);
const USERS = 10;
const PRICE = 10;
const LIMIT = orderCount * PRICE;
const NOW = systemClock.now();

const uuidOf = (number: number) => `${number.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;
const numberIn = (path: Path) => Number.parseInt(path.slice(path.lastIndexOf('/') + 1), 16);
const customerOf = (number: number) => `user-${number % USERS}`;

/** A kind of document, one for each of the numbers that it counts through. */
interface Series {
  readonly first: number;
  readonly step: number;
  readonly pathOf: (number: number) => Path;
}

const users = Array.from({ length: USERS }, (_, user) => user);
const series: Readonly<Record<string, readonly Series[]>> = {
  sagas: [{ first: 0, step: 1, pathOf: (number) => ledgerPath(uuidOf(number)) }],
  payments: [{ first: 0, step: 1, pathOf: (number) => invoices.of(uuidOf(number)).path }],
  deliveries: [{ first: 0, step: 1, pathOf: (number) => parcels.of(uuidOf(number)).path }],
  orders: [
    { first: 0, step: 1, pathOf: (number) => reservations.of('widget', uuidOf(number)).path },
    ...users.map((user) => ({
      first: user,
      step: USERS,
      pathOf: (number: number) => orderRecords.of(customerOf(number), uuidOf(number)).path,
    })),
  ],
};
const few: Readonly<Record<string, readonly [Path, object][]>> = {
  inventory: [[stock.of('widget').path, { quantity: 0, price_per_unit: PRICE, loaded: orderCount }]],
  sales: [[sales.of('widget').path, { sold: orderCount }]],
  users: users.map((user) => {
    const orders = Math.floor(orderCount / USERS) + (user < orderCount % USERS ? 1 : 0);
    return [
      customers.of(customerOf(user)).path,
      { address: 'here', credit: LIMIT - PRICE * orders, credit_limit: LIMIT },
    ];
  }),
};

const snapshot: Pick<Snapshot, 'read' | 'scan'> = {
  async read(paths) {
    return new Map(paths.map((path) => [path, documentAt(path)]));
  },
  async scan({ collection, after, limit }) {
    const listed = few[collection];
    if (listed) return listed.map(([path, fields]) => ({ path, fields }));
    const paths: Path[] = [];
    // Behind the last one the same series goes on, and then the next.
    let behind = after;
    for (const { first, step, pathOf } of series[collection] ?? []) {
      const holds = (path: Path) => pathOf(numberIn(path)) === path && (numberIn(path) - first) % step === 0;
      if (behind !== undefined && !holds(behind)) continue;
      const from = behind === undefined ? first : numberIn(behind) + step;
      behind = undefined;
      for (let number = from; number < orderCount && paths.length < limit; number += step) {
        paths.push(pathOf(number));
      }
      if (paths.length === limit) break;
    }
    return paths.map((path) => ({ path, fields: documentAt(path) }));
  },
};

function documentAt(path: Path): object {
  const ledger = ledgerAt(numberIn(path));
  if (path === ledgerPath(ledger.uuid)) return ledger;
  const held = holdsOf(pipeline, ledger).find((hold) => hold.path === path);
  if (held === undefined || isAmount(held)) throw new Error(`There is no ${path}`);
  return held.fields;
}

/** All ledgers say the same of different orders: to make each anew would take longer than to audit it. */
function ledgerAt(number: number): Ledger {
  const uuid = uuidOf(number);
  return { ...FINISHED, uuid, shard: shardOf(uuid), ...{ user: customerOf(number) } };
}

function finishedLedger(): Ledger {
  const order = { user: customerOf(0), items: [{ item: 'widget', quantity: 1 }] };
  const learnedBy: Readonly<Record<string, object>> = {
    inventory: { lines: [{ item: 'widget', quantity: 1, price_per_unit: PRICE }] },
    payments: { delivery_cost: 0, charged: PRICE },
  };
  const sent = { address: 'here' };
  return pipeline.steps.reduce<Ledger>(
    (before, { name, waits, heldSince }) => {
      const done = { step: name, by: name, now: NOW };
      let ledger = before;
      if (waits?.as === heldSince) {
        ledger = beginWait(pipeline, ledger, { ...done, learned: sent, until: NOW });
        const [word = ''] = Object.keys(waits.words);
        ledger = resume(pipeline, ledger, { word: { word }, by: name, now: NOW });
      }
      return advance(pipeline, ledger, { ...done, learned: learnedBy[name] ?? {} });
    },
    receive(pipeline, uuidOf(0), order, 'frontend', NOW, DEADLINE_SECONDS),
  );
}

const FINISHED = finishedLedger();

const liveBytes = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const before = liveBytes();
let peakBytes = 0;
let pages = 0;
const startMs = performance.now();
const { counts, violationCount } = await audit(pipeline, snapshot, NOW, () => {
  pages++;
  if (pages % 100 === 0) peakBytes = Math.max(peakBytes, liveBytes() - before);
});
const seconds = (performance.now() - startMs) / 1000;
const recordCount = pipeline.records.reduce((sum, { name }) => sum + (counts.documents[name] ?? 0), 0);
process.stdout.write(
  `${counts.orders} orders, ${recordCount} records: ` +
    `${violationCount} violations in ${seconds.toFixed(1)} s (${Math.round(orderCount / seconds)} orders/s), ` +
    `at most ${(peakBytes / 1024 / 1024).toFixed(1)} MiB live beyond the start\n`,
);
