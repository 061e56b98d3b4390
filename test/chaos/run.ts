import { isStanding } from '../../saga/deadline.ts';
import { transitionsOf } from '../../saga/history.ts';
import { STATUSES, sagaPath } from '../../saga/ledger.ts';
import type { Topology } from '../../saga/topology.ts';
import { type Book, openCustomers } from './customers.ts';
import { describeFault, drawFaults, type FaultCounts, type FaultLog, openSaboteur } from './faults.ts';
import { dataFor, drawOrder } from './orders.ts';
import { seededRandom } from './seeded-random.ts';
import { type Stack, startStack } from './stack.ts';
import { openTap, type Tap, withTaps } from './tap.ts';
import { until } from './until.ts';
import { differences, judge, unannounced, type Verdict } from './verdict.ts';
import { readWorld, type World } from './world.ts';

export interface ChaosOptions {
  readonly projectId: string;
  readonly pubsubHost: string;
  readonly firestoreHost: string;
  readonly topology: Topology;
  /** Decides every order and every fault, and when each of them comes. How the machine takes it, no seed decides. */
  readonly seed: number;
  /** For how long orders are placed and things go wrong. */
  readonly loadSeconds: number;
  readonly ordersPerSecond: number;
  /** The services that are killed and told to end; all of them where absent. */
  readonly victims?: readonly string[];
  readonly faults: FaultCounts;
  /** How long no service may say a word before it counts as quiet. */
  readonly quietSeconds: number;
  /** How long it may take to become quiet. */
  readonly quietLimitSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Is told every line that the services log. */
  readonly onLine?: (line: string) => void;
}

/** What a run has shown. */
export interface ChaosReport extends Verdict {
  readonly seconds: number;
  readonly book: Book;
  readonly world: World;
  readonly faults: FaultLog;
  /** From the last order placed, or the last fault brought about, to the last transition of a ledger. */
  readonly recoverySeconds: number;
  /** How often the sweeper announced a ledger again. */
  readonly redrives: number;
  /** What the services said about each order that is lost. */
  readonly stories: readonly string[];
}

/** A SIGTERM must end a service within this time: then Cloud Run kills it. */
export const TERMINATION_MS_MAX = 10_000;

/** Runs the pipeline under load while things go wrong, waits until it is quiet, and finds out what came of it. */
export async function runChaos(options: ChaosOptions, print: (line: string) => void): Promise<ChaosReport> {
  const startMs = performance.now();
  const random = seededRandom(options.seed);
  const orderCount = options.loadSeconds * options.ordersPerSecond;
  const topology = withTaps(options.topology);
  const data = dataFor(orderCount);
  const stack = await startStack({ ...options, topology, data });
  const tap = openTap(stack.bus, topology);
  const customers = openCustomers(stack.url, stack.bus);
  const saboteur = openSaboteur(stack, tap, seededRandom(options.seed + 1));
  try {
    const plan = drawFaults(
      random,
      1000 * options.loadSeconds,
      options.victims ?? stack.services,
      options.faults,
    );
    print(`seed ${options.seed}: ${orderCount} orders in ${options.loadSeconds} s, and meanwhile:`);
    for (const { atMs, fault } of plan)
      print(`  ${(atMs / 1000).toFixed(1).padStart(6)} s  ${describeFault(fault)}`);

    const orders = Array.from({ length: orderCount }, (_, index) => ({
      atMs: (1000 * index) / options.ordersPerSecond,
      planned: drawOrder(random, options.projectId, index),
    }));
    await Promise.all([
      ...orders.map(({ atMs, planned }) => at(atMs).then(() => customers.place(planned))),
      ...plan.map(({ atMs, fault }) => at(atMs).then(() => saboteur.bring(fault))),
    ]);
    const calmAt = new Date();
    print('everything is placed and done; waiting until it is quiet');
    const quiet = await becomesQuiet(stack, tap, customers.book, options);
    const world = await readWorld(stack.store);
    const verdict = judge(world, {
      loaded: data,
      accepted: customers.book.accepted,
      canceled: customers.book.canceled,
      poisonCount: saboteur.log.poisoned,
      heard: tap.ids,
    });
    const replay =
      verdict.lost.length === 0 ? await replayed(stack, tap, customers.book, world, options) : [];
    return {
      seconds: (performance.now() - startMs) / 1000,
      book: customers.book,
      world,
      faults: saboteur.log,
      recoverySeconds: Math.max(0, (lastTransitionMs(world) - calmAt.getTime()) / 1000),
      redrives: stack.linesWith('an order stood still: redriven').length,
      lost: verdict.lost,
      wrong: [
        ...verdict.wrong,
        ...quiet,
        ...replay,
        ...customers.book.complaints,
        ...saboteur.log.terminations.flatMap(wrongTermination),
      ],
      stories: storiesOf(world, stack),
    };
  } finally {
    await tap.close();
    await stack.close();
  }
}

const at = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

/** Waits until all orders have come to their end and no service has anything to do. @returns what is wrong with that. */
async function becomesQuiet(
  stack: Stack,
  tap: Tap,
  { accepted }: Book,
  { quietSeconds, quietLimitSeconds }: ChaosOptions,
): Promise<string[]> {
  const published = [...accepted].filter(([, { by }]) => by === 'topic').map(([uuid]) => sagaPath(uuid));
  const holds = async () => {
    if (performance.now() - stack.lastLineAtMs() < 1000 * quietSeconds) return false;
    if ((await standingCount(stack)) > 0) return false;
    if ((await stack.store.read(published)).size < published.length) return false;
    return unannounced(await readWorld(stack.store), tap.ids).length === 0;
  };
  try {
    await until('it is quiet', 1000 * quietLimitSeconds, holds);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

async function standingCount({ store }: Stack): Promise<number> {
  const found = await Promise.all(
    STATUSES.filter((status) => isStanding({ status })).map((status) =>
      store.query({ collection: 'sagas', where: { status }, limit: 1 }),
    ),
  );
  return found.flat().length;
}

/** Has every message come again that there ever was, and says what that changed. */
async function replayed(
  stack: Stack,
  tap: Tap,
  book: Book,
  before: World,
  options: ChaosOptions,
): Promise<string[]> {
  const someLine = stack.nextLine(/ (duplicate|fenced) /);
  await stack.replayAll();
  await someLine;
  const quiet = await becomesQuiet(stack, tap, book, options);
  return [...quiet, ...differences(before, await readWorld(stack.store))];
}

function lastTransitionMs({ sagas }: World): number {
  return Math.max(
    0,
    ...[...sagas.values()].flatMap((saga) => transitionsOf(saga).map(({ at }) => at.getTime())),
  );
}

function wrongTermination({ service, durationMs, manner }: FaultLog['terminations'][number]): string[] {
  return manner === 'exit code 0' && durationMs <= TERMINATION_MS_MAX
    ? []
    : [`${service} was told to end, and ended with ${manner} after ${durationMs} ms`];
}

const STORIES_MAX = 10;

function storiesOf({ sagas }: World, stack: Stack): string[] {
  return [...sagas.values()]
    .filter(isStanding)
    .slice(0, STORIES_MAX)
    .map(({ uuid }) => stack.linesWith(uuid).join('\n'));
}
