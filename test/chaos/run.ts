import { v4 as uuidv4 } from 'uuid';
import { pipeline } from '../../pipeline.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import type { Book } from './customers.ts';
import { describeFault, drawFaults, type FaultCounts, type FaultLog, openSaboteur } from './faults.ts';
import { dataFor, drawOrder } from './orders.ts';
import { openScene, type Scene, type SceneOptions } from './scene.ts';
import { seededRandom } from './seeded-random.ts';
import type { Verdict } from './verdict.ts';
import type { World } from './world.ts';

/** What is done to a pipeline. */
export interface Storm {
  /** Decides every order and every fault, and when each of them comes. How the machine takes it, no seed decides. */
  readonly seed: number;
  /** For how long orders are placed and things go wrong. */
  readonly loadSeconds: number;
  readonly ordersPerSecond: number;
  /** The services that are killed and told to end; all of them where absent. */
  readonly victims?: readonly string[];
  readonly faults: FaultCounts;
}

export type ChaosOptions = Omit<SceneOptions, 'data'> & Storm;

/** What a run has shown. */
export interface ChaosReport extends Verdict {
  readonly seconds: number;
  readonly book: Book;
  readonly world: World;
  readonly faults: FaultLog;
  /** From the last order placed, and the last fault over, to the last transition of a ledger. */
  readonly recoverySeconds: number;
  /** How often the sweeper announced a ledger again. */
  readonly repeats: number;
  /** How many deliveries found nothing to do, because the ledger showed their work as done, or the order as over. */
  readonly idleDeliveries: number;
  /** What the services said about orders that have not come to their end. */
  readonly stories: readonly string[];
}

/** A SIGTERM must end a service within this time: then Cloud Run kills it. */
const TERMINATION_MS_MAX = 10_000;

/** Runs the pipeline under load while things go wrong, waits until it is quiet, and finds out what came of it. */
export async function runChaos(options: ChaosOptions, print: (line: string) => void): Promise<ChaosReport> {
  const startMs = performance.now();
  const scene = await openScene({ ...options, data: dataFor(orderCountOf(options)) });
  const { stack, customers } = scene;
  try {
    const faults = await rage(scene, options, print);
    const calmAt = new Date();
    print('everything is placed and done; waiting until it is quiet');
    const { world, lost, wrong } = await scene.settle();
    print('having every message come again that a service ever got');
    const changes = await scene.replay();
    return {
      seconds: (performance.now() - startMs) / 1000,
      book: customers.book,
      world,
      faults,
      recoverySeconds: Math.max(0, (lastTransitionMs(world) - calmAt.getTime()) / 1000),
      repeats: stack.lines(/ an order stood still: announced /).length,
      idleDeliveries: stack.lines(/ (duplicate|fenced|ignored) uuid=/).length,
      lost,
      wrong: [...wrong, ...changes, ...faults.violations, ...faults.terminations.flatMap(wrongTermination)],
      stories: storiesOf(scene, world),
    };
  } finally {
    await scene.close();
  }
}

export const orderCountOf = ({ loadSeconds, ordersPerSecond }: Storm): number =>
  Math.ceil(loadSeconds * ordersPerSecond);

/** Places the orders of a storm and brings its faults about. Resolves when the last of them is over. */
export async function rage(scene: Scene, storm: Storm, print: (line: string) => void): Promise<FaultLog> {
  const { stack, customers } = scene;
  const { seed, loadSeconds, ordersPerSecond } = storm;
  const random = seededRandom(seed);
  const saboteur = openSaboteur(scene, seededRandom(seed + 1));
  const plan = drawFaults(random, 1000 * loadSeconds, storm.victims ?? stack.services, storm.faults);
  print(`seed ${seed}: ${orderCountOf(storm)} orders in ${loadSeconds} s, and meanwhile:`);
  for (const { atMs, fault } of plan) {
    print(`  ${(atMs / 1000).toFixed(1).padStart(6)} s  ${describeFault(fault)}`);
  }
  const run = uuidv4();
  const orders = Array.from({ length: orderCountOf(storm) }, (_, index) => ({
    atMs: (1000 * index) / ordersPerSecond,
    planned: drawOrder(random, run, index),
  }));
  await Promise.all([
    ...orders.map(({ atMs, planned }) => after(atMs).then(() => customers.place(planned))),
    ...plan.map(({ atMs, fault }) => after(atMs).then(() => saboteur.bring(fault))),
  ]);
  return saboteur.log;
}

const after = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

function lastTransitionMs({ ledgers }: World): number {
  return [...ledgers.values()]
    .flatMap(transitionsOf)
    .reduce((latestMs, { at }) => Math.max(latestMs, at.getTime()), 0);
}

/** @returns what is wrong with the way in which a service ended, as a sentence. */
export function wrongTermination({
  service,
  durationMs,
  manner,
}: FaultLog['terminations'][number]): string[] {
  return manner === 'exit code 0' && durationMs <= TERMINATION_MS_MAX
    ? []
    : [`${service} was told to end, and ended with ${manner} after ${durationMs} ms`];
}

const STORIES_MAX = 10;

/** What the services said about orders that stand still. */
export function storiesOf({ stack }: Scene, { ledgers }: World): string[] {
  return [...ledgers.values()]
    .filter((ledger) => isStanding(pipeline, ledger))
    .slice(0, STORIES_MAX)
    .map(({ uuid }) => stack.lines(new RegExp(uuid)).join('\n'));
}
