import { createHash } from 'node:crypto';
import { CANCELED, isLedgerPath } from '../../saga/ledger/ledger.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { clockRange } from './clocks.ts';
import type { Plan } from './plan.ts';
import type { AllDocuments, Subject } from './subject.ts';
import { People } from './world/people.ts';
import { World, type WorldOptions } from './world/world.ts';

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
  /** How often what people asked for, and what is noticed by itself, came to what. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A world that has not come to rest by then never will. */
const EVENTS_MAX = 20_000;
const SWEEPS_MAX = 100;
const ANSWERS_MAX = 20;
/** At least this long between two sweeps, or the sweeps would be over before the faults are. */
const SWEEP_PAUSE_MS = 5_000;

/** Runs the world of a plan from its first order to its rest, and then gives it every old message once more. */
export async function runWorld(subject: Subject, plan: Plan, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(subject, plan, options);
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

  /** People are slower than any program. The sweeper is the last resort: what else would move on has done so by now. */
  async function untilAllOrdersRest(): Promise<void> {
    await untilNothingIsPending();
    for (let times = 0; times < ANSWERS_MAX && people.answerWaits(); times++) await untilNothingIsPending();
    for (
      let sweeps = 0;
      plan.swept && sweeps < SWEEPS_MAX && isAnyStanding(subject.saga, world.documents);
      sweeps++
    ) {
      world.later('somebody sweeps', untilNextSweepMs(world), () => people.sweep());
      await untilNothingIsPending();
    }
  }

  await world.begin();
  people.begin();
  do {
    await untilAllOrdersRest();
    // What the sweeps moved on may wait now.
    await untilAllOrdersRest();
  } while (people.catchUp());
  await world.rest(people);
  const atRest = contentOf(subject.saga, world.documents);
  world.note('every old message comes again');
  replay(world);
  await untilNothingIsPending();
  if (contentOf(subject.saga, world.documents) !== atRest)
    world.fail('old messages that came again changed something');
  return {
    plan,
    fault: world.wrongs[0],
    wrongs: world.wrongs,
    trace: world.trace,
    traceHash: createHash('sha256').update(world.trace.join('\n')).digest('hex'),
    eventCount,
    commitCount: world.commitCount,
    counts: world.counts,
  };
}

/** Whether an order stands that a sweep could move on. */
export const isAnyStanding = (saga: Saga, documents: AllDocuments): boolean =>
  [...documents].some(
    ([path, { status }]) =>
      isLedgerPath(path) &&
      status !== saga.success &&
      status !== CANCELED &&
      saga.waitingIn(status)?.waits.afterwards !== 'show',
  );

/** Until the slowest clock, too, shows the moment. */
export function untilNextSweepMs({ documents, scheduler, plan }: World): number {
  const { slowestMs } = clockRange(plan);
  const dueMs = [...documents].flatMap(([path, { sweepAt }]) =>
    isLedgerPath(path) && sweepAt instanceof Date ? [sweepAt.getTime() - slowestMs - scheduler.nowMs] : [],
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

/** Every document of the saga. Dead letters are none of them: each has its own place on the desk. */
function contentOf({ kinds }: Saga, documents: AllDocuments): string {
  const ofSaga = ([path]: readonly [string, unknown]) =>
    isLedgerPath(path) || kinds.some(({ namesIn }) => namesIn(path) !== undefined);
  return JSON.stringify([...documents].filter(ofSaga).sort());
}
