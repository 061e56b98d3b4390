import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Outcome, runWorld } from '../../test-kit/simulation/run-world.ts';
import { shrink } from '../../test-kit/simulation/shrink.ts';
import { drawShop, shop } from './shop.ts';

/**
 * Simulates one world per seed, on all cores.
 *
 *     npm run simulate -- --seeds 2000            the seeds 1 to 2000
 *     npm run simulate -- --seeds 100 --seed 500  the seeds 500 to 599
 *     npm run simulate -- --seed 500              seed 500 alone, with everything that happens in it
 */

/** What a worker says of one seed. */
interface Result {
  readonly seed: number;
  readonly failed: boolean;
  readonly eventCount: number;
  readonly commitCount: number;
  /** How often each kind of fault was planned, and what people asked for came to what. */
  readonly counts: ReadonlyMap<string, number>;
}

if (isMainThread) await main();
else await work(workerData as { first: number; count: number; stride: number });

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seeds: { type: 'string' }, seed: { type: 'string' } } });
  const first = wholeNumber('--seed', values.seed ?? '1');
  const count = wholeNumber('--seeds', values.seeds ?? (values.seed === undefined ? '2000' : '1'));
  const failedSeed = count > 1 ? await simulateAll(first, count) : await simulateOne(first);
  if (failedSeed !== undefined) process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not ${text}`);
  return Number(text);
}

async function simulateOne(seed: number): Promise<number | undefined> {
  const outcome = await runWorld(shop, drawShop(seed));
  print(`Seed ${seed}, its plan:`, JSON.stringify(outcome.plan, null, 2), ...outcome.trace);
  if (outcome.fault === undefined)
    print(`Seed ${seed} holds: ${outcome.eventCount} events, ${outcome.traceHash}`);
  else await report(outcome);
  return outcome.fault === undefined ? undefined : seed;
}

/** @returns the first seed that failed. */
async function simulateAll(first: number, count: number): Promise<number | undefined> {
  const startMs = performance.now();
  const stride = Math.min(availableParallelism(), count);
  let [seedCount, eventCount, commitCount] = [0, 0, 0];
  const failed: number[] = [];
  const counts = new Map<string, number>();
  const workers = Array.from({ length: stride }, (_, index) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { first: first + index, count: Math.ceil((count - index) / stride), stride },
    });
    worker.on('message', (result: Result) => {
      seedCount++;
      eventCount += result.eventCount;
      commitCount += result.commitCount;
      for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
      if (result.failed) failed.push(result.seed);
    });
    return new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  });
  await Promise.all(workers);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  print(
    `${seedCount} seeds, ${eventCount} events, ${commitCount} commits in ${seconds} s: ${failed.length} failed`,
  );
  for (const [what, count] of [...counts].sort()) print(`${String(count).padStart(10)}  ${what}`);
  const [seed] = failed.sort((one, other) => one - other);
  if (seed !== undefined) await report(await runWorld(shop, drawShop(seed)));
  return seed;
}

/** Prints the plan of a failure, then the shortest trace that still shows it, then how to see it again. */
async function report(outcome: Outcome): Promise<void> {
  const { plan, fault } = outcome;
  print('', `Seed ${plan.seed} fails: ${fault}`, 'Its plan:', JSON.stringify(plan));
  const smallest = await shrink(shop, outcome);
  print('', `The smallest part of it that fails: ${smallest.fault}`, JSON.stringify(smallest.plan, null, 2));
  print(...smallest.trace, '', `Replay it: npm run simulate -- --seed ${plan.seed}`);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function work({
  first,
  count,
  stride,
}: {
  first: number;
  count: number;
  stride: number;
}): Promise<void> {
  for (let index = 0; index < count; index++) {
    const seed = first + index * stride;
    const { plan, fault, eventCount, commitCount, counts } = await runWorld(shop, drawShop(seed));
    const failed = fault !== undefined;
    const faults = new Map(counts);
    for (const { kind } of plan.faults) faults.set(`fault: ${kind}`, (faults.get(`fault: ${kind}`) ?? 0) + 1);
    parentPort?.postMessage({ seed, failed, eventCount, commitCount, counts: faults } satisfies Result);
    // One failure is enough to work on.
    if (fault !== undefined) return;
  }
}
