import { createHash } from 'node:crypto';
import { pipeline } from '../../pipeline.ts';
import type { AllDocuments } from './invariants.ts';
import { People } from './people.ts';
import type { Plan } from './plan.ts';
import { World, type WorldOptions } from './world.ts';

/** What came of a simulated world. */
export interface Outcome {
  readonly plan: Plan;
  /** What was wrong, in a sentence; undefined where nothing was. */
  readonly fault: string | undefined;
  /** All that was wrong at that moment. */
  readonly wrongs: readonly string[];
  /** Everything that happened, a line each. */
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly eventCount: number;
  readonly commitCount: number;
}

/** A world that has not come to rest by then never will. */
const EVENTS_MAX = 20_000;
const SWEEPS_MAX = 100;
/** Nobody sweeps more often than this, or the sweeps would be over before the faults are. */
const SWEEP_PAUSE_MS = 5_000;

/** Runs the world of a plan from its first order to its rest, and then gives it every old message once more. */
export async function simulate(plan: Plan, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(plan, options);
  const people = new People(world);
  let eventCount = 0;

  async function untilNothingIsPending(): Promise<void> {
    for (;;) {
      await world.settle();
      const { next } = world.scheduler;
      if (next === undefined || world.wrongs.length > 0) return;
      if (++eventCount > EVENTS_MAX) return world.fail(`nothing rests after ${EVENTS_MAX} events`);
      await world.scheduler.happen(next);
    }
  }

  /** The sweeper is the last resort: what else would move on has done so by now. */
  async function untilAllOrdersRest(): Promise<void> {
    await untilNothingIsPending();
    for (let sweeps = 0; plan.swept && sweeps < SWEEPS_MAX && isAnyStanding(world.documents); sweeps++) {
      world.later('somebody sweeps', untilNextSweepMs(world), () => people.sweep());
      await untilNothingIsPending();
    }
  }

  await world.begin();
  people.begin();
  await untilAllOrdersRest();
  await world.rest(people);
  const atRest = contentOf(world.documents);
  world.note('every old message comes again');
  replay(world);
  await untilNothingIsPending();
  if (contentOf(world.documents) !== atRest) world.fail('old messages that came again changed something');
  return {
    plan,
    fault: world.wrongs[0],
    wrongs: world.wrongs,
    trace: world.trace,
    traceHash: createHash('sha256').update(world.trace.join('\n')).digest('hex'),
    eventCount,
    commitCount: world.commitCount,
  };
}

export const isAnyStanding = (documents: AllDocuments): boolean =>
  [...documents].some(
    ([path, { status }]) => path.startsWith('sagas/') && status !== pipeline.success && status !== 'CANCELED',
  );

export function untilNextSweepMs({ documents, scheduler }: World): number {
  const dueMs = [...documents].flatMap(([path, { sweepAt }]) =>
    path.startsWith('sagas/') && sweepAt instanceof Date ? [sweepAt.getTime() - scheduler.nowMs] : [],
  );
  return Math.max(SWEEP_PAUSE_MS, ...(dueMs.length === 0 ? [] : [Math.min(...dueMs)]));
}

/** A seek: the broker hands out again, in any order, what was acked long ago. */
function replay(world: World): void {
  for (const [id, { subscription, delivery }] of world.handedOut) {
    const service = world.topology.subscriptions[subscription]?.service;
    const again = { ...delivery, ack: () => {}, nack: () => {} };
    world.later(
      `${subscription} hands ${world.nameOfMessage(delivery)} out again`,
      1000 * world.chance(id),
      () => {
        const there = world.processes.filter(
          ({ serviceName, isAlive }) => serviceName === service && isAlive,
        );
        world.note(`${subscription} hands ${world.nameOfMessage(delivery)} out again`);
        there[Math.floor(world.chance(`${id} to`) * there.length)]?.receive(subscription, again);
      },
    );
  }
}

/** Everything but the desk, on which each dead letter has its own place. */
function contentOf(documents: AllDocuments): string {
  return JSON.stringify([...documents].filter(([path]) => !path.startsWith('dead-letters/')).sort());
}
