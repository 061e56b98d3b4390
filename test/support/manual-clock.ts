import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../saga/ports/clock.ts';
import { NOW } from './builders.ts';

/** A clock that stands still until a spec moves it. */
export interface ManualClock extends Clock {
  /** How long its users have asked to be left alone, in milliseconds, in the order in which they asked. */
  readonly pausesMs: readonly number[];
  /**
   * Waits for `work`. Whenever nothing but the clock can bring it on, time jumps to the next alarm.
   * @throws Error where there is no alarm either, so that `work` would never end.
   */
  finish<T>(work: Promise<T>): Promise<T>;
}

export function createManualClock(start = NOW): ManualClock {
  let nowMs = start.getTime();
  const alarms = new Set<{ readonly atMs: number; readonly action: () => void }>();
  const pausesMs: number[] = [];

  function ringNext(): void {
    const [next] = [...alarms].sort((one, other) => one.atMs - other.atMs);
    if (next === undefined) throw new Error('This work waits for something that never happens');
    alarms.delete(next);
    nowMs = Math.max(nowMs, next.atMs);
    next.action();
  }

  return {
    pausesMs,
    now: () => new Date(nowMs),
    after(delayMs, action) {
      pausesMs.push(delayMs);
      const alarm = { atMs: nowMs + delayMs, action };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    async finish(work) {
      let settled = false;
      const noted = work.finally(() => {
        settled = true;
      });
      // Handled below; without this, Node would see a rejection that nobody awaits yet.
      noted.catch(() => {});
      for (;;) {
        await nextTurn();
        if (settled) return noted;
        ringNext();
      }
    },
  };
}
