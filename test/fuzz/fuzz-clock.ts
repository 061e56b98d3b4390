import type { Clock } from '../../saga/ports/clock.ts';
import { NOW } from '../support/builders.ts';

/** A clock that stands still until it is told to go on; who only gives way to others need not wait for that. */
export interface FuzzClock extends Clock {
  /** Lets time pass: every alarm of that time rings, the earliest first, and what it sets off gets its turn. */
  pass(seconds: number): Promise<void>;
}

/** A shorter pause is one between two attempts, or lets others have their turn. */
const WAITED_FOR_MS = 1_000;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

export function createFuzzClock(): FuzzClock {
  let nowMs = NOW.getTime();
  const alarms = new Set<{ readonly atMs: number; readonly action: () => void }>();

  return {
    now: () => new Date(nowMs),
    after(delayMs, action) {
      if (delayMs < WAITED_FOR_MS) {
        setImmediate(action);
        return () => {};
      }
      const alarm = { atMs: nowMs + delayMs, action };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    async pass(seconds) {
      const endMs = nowMs + seconds * 1000;
      for (;;) {
        await nextTurn();
        const [next] = [...alarms].sort((one, other) => one.atMs - other.atMs);
        if (next === undefined || next.atMs > endMs) break;
        alarms.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.action();
      }
      nowMs = endMs;
    },
  };
}
