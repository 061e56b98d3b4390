import type { Saga } from '../../saga/step/saga.ts';
import { Dice } from './chance.ts';
import type { Fault, Plan } from './plan.ts';

/**
 * The clocks of a simulated world. Each process has its own, which may be off and may jump. They are drawn with dice of their own:
 * everything else is the same in that world with right clocks.
 */

/** Whose clock that of the operators' programs is: they are no processes of the plan. */
export const OPERATORS = 'operators';
/** Clocks differ by at most so many times the tolerance. */
const BEYOND_TOLERANCE_MAX = 3;
/** A watchdog notices the later, the more its clock differs from those of the services. */
const WATCHED_SPREAD_MAX_MS = 60_000;
/** A clock that jumps does so while orders are under way. */
const JUMP_MAX_MS = 1_000;

type Clocked = Pick<Plan, 'seed' | 'deadlineSeconds' | 'instances' | 'faults'>;

/**
 * In half of the worlds clocks differ. Mostly they differ by less than the shortest stage may take: then no order is too late because
 * of them.
 */
export function drawClocks(saga: Saga, { seed, deadlineSeconds, instances, faults }: Clocked): Fault[] {
  const dice = new Dice(`clocks ${seed}`);
  if (dice.often(0.5)) return [];
  const stages = saga.steps.map((step) => step.deadlineSeconds ?? deadlineSeconds);
  const toleranceMs = 1000 * Math.min(deadlineSeconds, ...stages);
  const drawnMs = toleranceMs * dice.chance() * (dice.often(0.2) ? BEYOND_TOLERANCE_MAX : 1);
  const isWatched = faults.some(({ kind }) => kind === 'silent');
  const offsetMaxMs = Math.floor((isWatched ? Math.min(drawnMs, WATCHED_SPREAD_MAX_MS) : drawnMs) / 2);
  const processes = Object.entries(instances).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, index) => `${name}#${index}`),
  );
  return [...processes, OPERATORS].flatMap((process) =>
    Array.from({ length: dice.whole(0, 2) }, (_, index): Fault => {
      const offsetMs = dice.whole(-offsetMaxMs, offsetMaxMs);
      return { kind: 'clock', process, offsetMs, atMs: index === 0 ? 0 : dice.whole(0, JUMP_MAX_MS) };
    }),
  );
}

/** How far the clock of a process is off at a moment of its world. */
export function offsetMsOf({ faults }: Pick<Plan, 'faults'>, process: string, elapsedMs: number): number {
  const settings = faults.flatMap((fault) =>
    fault.kind === 'clock' && fault.process === process && fault.atMs <= elapsedMs ? [fault.offsetMs] : [],
  );
  return settings.at(-1) ?? 0;
}

/** How far the clocks of a world are ever off: the slowest, from 0 downwards, and the fastest, from 0 upwards. */
export function clockRange({ faults }: Pick<Plan, 'faults'>): { slowestMs: number; fastestMs: number } {
  const offsets = faults.flatMap((fault) => (fault.kind === 'clock' ? [fault.offsetMs] : []));
  return { slowestMs: Math.min(0, ...offsets), fastestMs: Math.max(0, ...offsets) };
}
