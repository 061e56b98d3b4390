import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { v4 as uuidv4 } from 'uuid';
import { openDurableStore } from '../../adapters/memory/durable-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { loadData } from '../../data-init/load-data.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { engineFolderIn } from '../../local/start-options.ts';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { CANCELED } from '../../saga/ledger/ledger.ts';
import { type Book, openCustomers, send } from '../chaos/customers.ts';
import { dataFor, drawOrder, isBroughtBack, type Loaded, type PlannedOrder } from '../chaos/orders.ts';
import { seededRandom } from '../chaos/seeded-random.ts';
import { judge, type Verdict } from '../chaos/verdict.ts';
import { readWorld, type World } from '../chaos/world.ts';
import { collectionNames } from '../support/all-documents.ts';
import { type Child, runProgram } from '../support/child.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

export interface KillOptions {
  readonly kills: number;
  readonly ordersPerSecond: number;
  /** Decides the orders, and how long the engine lives each time. When that meets which commit, no seed decides. */
  readonly seed: number;
}

export interface KillReport extends Verdict {
  readonly book: Book;
  readonly world: World;
  readonly kills: number;
  /** From each kill until the engine answered again. */
  readonly recoveriesMs: readonly number[];
  /** How many orders each start announced again, in all. */
  readonly announced: number;
  /** From the last kill until every order had come to its end, and its receiver knew it. */
  readonly settledMs: number;
  readonly seconds: number;
}

/** How long the engine may live between two kills. */
const LIFE_MS_MAX = 1_200;
const START_LIMIT_MS = 60_000;
const QUIET_LIMIT_MS = 120_000;
/** A kill and the life after it take less than this, for how much is loaded. */
const CYCLE_SECONDS = 6;

/**
 * Places orders on `npm start`, kills its engine again and again, waits until every order has come to its end, and judges the
 * documents that are left. There is no sweep: what moves orders on after a kill is what the start announces.
 */
export const killEngine = (options: KillOptions, print: (line: string) => void): Promise<KillReport> =>
  inTemporaryFolder(async (folder) => {
    const startMs = performance.now();
    const { kills, ordersPerSecond, seed } = options;
    const data = withFurtherAccounts(
      dataFor(Math.ceil(kills * CYCLE_SECONDS * ordersPerSecond)),
      pipeline,
      plenty,
    ) as Loaded;
    // The engine loads data of its own, and leaves alone what is there.
    const before = await openDurableStore(engineFolderIn(folder));
    await loadData(pipeline, before, { clock: systemClock, random: Math.random }, data);
    await before.close();

    const receiver = await openReceiver();
    const stack = runProgram('local/start.js', [], {
      DATA_DIR: folder,
      PORT: '0',
      SWEEP_INTERVAL_SECONDS: '0',
      WEBHOOK_URL: receiver.url,
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
    });
    try {
      const engine = watchEngine(stack);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await stack.line(/The pipeline runs on/))?.[0] ?? '';
      const customers = openCustomers(url);
      const random = seededRandom(seed);
      let isOver = false;
      const courier = bringAll(url, () => isOver);

      let isLoaded = false;
      const placed: Promise<void>[] = [];
      const run = uuidv4();
      const loading = (async () => {
        for (let index = 0; !isLoaded; index++) {
          placed.push(customers.place(withoutAsking(drawOrder(random, run, index))));
          await pause(1000 / ordersPerSecond);
        }
      })();

      const lives = seededRandom(seed + 1);
      const recoveriesMs: number[] = [];
      for (let kill = 1; kill <= kills; kill++) {
        await pause(lives.between(0, LIFE_MS_MAX));
        const killedMs = performance.now();
        const starts = engine.starts();
        process.kill(engine.pid(), 'SIGKILL');
        await until('the engine is up again', START_LIMIT_MS, () => engine.starts() > starts);
        recoveriesMs.push(performance.now() - killedMs);
        if (kill % 10 === 0) print(`${kill} kills, ${customers.book.accepted.size} orders accepted`);
      }
      isLoaded = true;
      await loading;
      await Promise.all(placed);
      const lastMs = performance.now();
      const isSettled = async () => {
        const ends = new Map((await allOrders(url)).map(({ uuid, status }) => [uuid, endOf(uuid, status)]));
        const areThere = [...customers.book.accepted.keys()].every((uuid) => ends.has(uuid));
        return areThere && [...ends.values()].every((end) => receiver.ids.has(end));
      };
      const unrest = await until('every order has ended, and was told of', QUIET_LIMIT_MS, isSettled).then(
        () => [],
        ({ message }: Error) => [message],
      );
      const settledMs = performance.now() - lastMs;
      isOver = true;
      await courier;
      stack.process.kill('SIGTERM');
      const code = await stack.exited;

      const store = await openDurableStore(engineFolderIn(folder));
      const { violations, stuck } = await takeAudit(pipeline, { store, clock: systemClock });
      const world = await readWorld(store, collectionNames(pipeline));
      await store.close();
      const { book } = customers;
      const { lost, wrong } = judge(world, {
        loaded: data,
        accepted: book.accepted,
        askedToCancel: book.askedToCancel,
        canceled: book.canceled,
        mayExpire: false,
        poisonCount: 0,
        heard: receiver.ids,
        said: new Map(),
        heeded: new Map(),
      });
      return {
        book,
        world,
        kills,
        recoveriesMs,
        announced: engine.announced(),
        settledMs,
        seconds: (performance.now() - startMs) / 1000,
        lost,
        wrong: [
          ...wrong,
          ...[...violations, ...stuck].map(({ sentence }) => `The doctor: ${sentence}`),
          ...unrest,
          ...book.complaints,
          ...(code === 0 ? [] : [`npm start ended with exit code ${code}`]),
        ],
      };
    } finally {
      stack.process.kill('SIGKILL');
      await stack.exited;
      receiver.close();
    }
  });

/** Nobody is there who would decide on an order that waits. */
const withoutAsking = ({ order: { on_shortage: _, ...order }, ...planned }: PlannedOrder): PlannedOrder => ({
  ...planned,
  order,
});

/** Which process the engine is, according to its log. */
function watchEngine({ process: { stdout } }: Child) {
  const pids: number[] = [];
  let announced = 0;
  if (stdout === null) throw new Error('There is no output');
  createInterface({ input: stdout }).on('line', (line) => {
    const [, pid, count = 0] = / listens on .* pid=(\d+)(?: announced=(\d+))?/.exec(line) ?? [];
    if (pid === undefined) return;
    pids.push(Number(pid));
    announced += Number(count);
  });
  return {
    pid: () => pids.at(-1) ?? Number.NaN,
    starts: () => pids.length,
    announced: () => announced,
  };
}

/** Takes every notification, and remembers which came. */
async function openReceiver() {
  const ids = new Set<string>();
  const server = createServer((request, response) => {
    ids.add(String(request.headers['webhook-id']));
    request.resume();
    request.once('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ids: ids as ReadonlySet<string>,
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The id under which the end of an order is told; of any other status, what nobody tells. */
function endOf(uuid: string, status: string): string {
  const isEnd = status === pipeline.success || status === CANCELED;
  return isEnd ? `${uuid}/${pipeline.topicOf(status)}` : `${uuid} has not ended`;
}

interface Listed {
  readonly uuid: string;
  readonly status: string;
}

/** @param query such as `&status=PAID`. Rejects while the engine is away. */
async function ordersOf(url: string, query: string): Promise<{ orders: Listed[]; next_page?: string }> {
  const response = await fetch(`${url}/orders?limit=100${query}`, { signal: AbortSignal.timeout(30_000) });
  return (await response.json()) as { orders: Listed[]; next_page?: string };
}

async function allOrders(url: string): Promise<Listed[]> {
  const all: Listed[] = [];
  let page = '';
  for (;;) {
    const { orders, next_page } = await ordersOf(url, page);
    all.push(...orders);
    if (next_page === undefined) return all;
    page = `&page=${encodeURIComponent(next_page)}`;
  }
}

const COURIER_PAUSE_MS = 100;

/** Brings every parcel that is under way, or brings it back, and says so until it is heard. */
async function bringAll(url: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    // The engine may be away.
    const { orders } = await ordersOf(url, '&status=DELIVERING').catch(() => ({ orders: [] }));
    await Promise.all(
      orders.map(({ uuid }) =>
        send(`${url}/deliveries/${uuid}/${isBroughtBack(uuid) ? 'canceled' : 'delivered'}`, {}),
      ),
    );
    await pause(COURIER_PAUSE_MS);
  }
}
