import { type Guard, type GuardName, guards } from './checks/guards.ts';
import { type Exploration, exploreWorld } from './explore-world.ts';
import { drawPlan, type FaultKind, type Plan } from './plan.ts';
import { type Outcome, runWorld } from './run-world.ts';
import { shrink } from './shrink.ts';
import { type SmallWorldDeclaration, smallWorld } from './small-world.ts';
import type { Subject } from './subject.ts';
import type { WorldOptions } from './world/world.ts';

/** The simulation for a saga of your own: seeds, small worlds, and the proof that both would notice. */

export interface SimulateOptions {
  /** How many worlds, one for each seed; by default 100. */
  readonly seeds?: number;
  /** The first seed; by default 1. */
  readonly firstSeed?: number;
  /** Which kinds of faults may happen; by default all. */
  readonly kinds?: readonly FaultKind[];
  /** A guard of the kernel that is taken out. */
  readonly without?: GuardName;
}

/** What came of a simulation. */
export interface Simulation {
  /** How many worlds were simulated: all of them, or those up to the failure. */
  readonly seedCount: number;
  readonly eventCount: number;
  readonly commitCount: number;
  readonly failure: SimulationFailure | undefined;
}

/** A world in which something went wrong. */
export interface SimulationFailure {
  /** This seed alone, with the same options, shows it again: `simulate(subject, { firstSeed: seed, seeds: 1 })`. */
  readonly seed: number;
  /** What is wrong, in a sentence. */
  readonly fault: string;
  /** The smallest part of the seed's plan that still fails. */
  readonly plan: Plan;
  /** Everything that happens in it, a line each. */
  readonly trace: readonly string[];
  /** All of that as a text for people. */
  readonly report: string;
}

/**
 * Simulates a saga, one world for each seed. Its real services run on the embedded store and bus; the seed draws the orders,
 * the faults and how long everything takes, so the same seed is always the same world. After every commit, ledgers must only
 * have gone forward, accounts be conserved, and records be there exactly while their step is done. In the end every order
 * must have come to one of its two ends, and when every old message comes once more, nothing may change.
 * @returns what was seen, up to the first world in which something is wrong. Rejects only if the subject itself is
 * at fault: its `anOrder`, its data, its checks.
 */
export async function simulate(subject: Subject, options: SimulateOptions = {}): Promise<Simulation> {
  const { seeds = 100, firstSeed = 1 } = options;
  let [seedCount, eventCount, commitCount] = [0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const outcome = await simulateSeed(subject, seed, options);
    seedCount++;
    eventCount += outcome.eventCount;
    commitCount += outcome.commitCount;
    if (outcome.fault === undefined) continue;
    const failure = failureOf(await shrink(subject, outcome, worldOptions(options)));
    return { seedCount, eventCount, commitCount, failure };
  }
  return { seedCount, eventCount, commitCount, failure: undefined };
}

function simulateSeed(subject: Subject, seed: number, options: SimulateOptions): Promise<Outcome> {
  const { kinds, without } = options;
  const limits = { ...(without && guards[without].limits), ...(kinds && { kinds }) };
  return runWorld(subject, drawPlan(subject, seed, limits), worldOptions(options));
}

const worldOptions = ({ without }: Pick<SimulateOptions, 'without'>): WorldOptions =>
  without === undefined ? {} : guards[without];

function failureOf({ plan, fault = '', trace }: Outcome): SimulationFailure {
  const { seed } = plan;
  const report = [
    `Seed ${seed} fails: ${fault}`,
    'The smallest part of its plan that fails:',
    JSON.stringify(plan, null, 2),
    ...trace,
    `Replay it: simulate(subject, { firstSeed: ${seed}, seeds: 1 })`,
  ].join('\n');
  return { seed, fault, plan, trace, report };
}

/**
 * Takes out one guard of the kernel after the other, and looks for a seed that fails without it and holds with it. A
 * simulation that misses one proves little about your saga: mostly too much is there for all orders, or none is refused.
 * @returns the guards whose absence no seed shows; an empty list is what you want.
 */
export async function missedGuards(
  subject: Subject,
  { seeds = 100, firstSeed = 1 }: Pick<SimulateOptions, 'seeds' | 'firstSeed'> = {},
): Promise<readonly GuardName[]> {
  const missed: GuardName[] = [];
  for (const [without, { guards: isIn = () => true }] of Object.entries<Guard>(guards) as [
    GuardName,
    Guard,
  ][]) {
    if (!isIn(subject.saga)) continue;
    let isNoticed = false;
    for (let seed = firstSeed; seed < firstSeed + seeds && !isNoticed; seed++) {
      const broken = await simulateSeed(subject, seed, { without });
      if (broken.fault === undefined) continue;
      const whole = await runWorld(subject, broken.plan);
      isNoticed = whole.fault === undefined;
    }
    if (!isNoticed) missed.push(without);
  }
  return missed;
}

export interface ExploreOptions {
  /** A guard of the kernel that is taken out. */
  readonly without?: GuardName;
  /** How many states are seen at most; by default all. */
  readonly statesMax?: number;
}

/**
 * Goes every way through a small world: in each state, each effect that is pending may be the next one. The checks are those
 * of `simulate`, but old messages don't come again. One or two orders take seconds; each order or process more multiplies that.
 * @returns what was seen, and the first thing that is wrong with how it comes about.
 */
export function explore(
  subject: Subject,
  declaration: SmallWorldDeclaration,
  { without, statesMax }: ExploreOptions = {},
): Promise<Exploration> {
  return exploreWorld(
    subject,
    smallWorld(subject, declaration),
    worldOptions({ ...(without && { without }) }),
    statesMax,
  );
}
