import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { sweep } from './sweep.ts';

/** Sweeps at intervals. */
export interface Patrol {
  start(): void;
  /** Starts no further sweep; resolves when the one under way is done. */
  stop(): Promise<void>;
}

/** @param intervalSeconds the pause between two sweeps; 0: there is no patrol. */
export function createPatrol(saga: Saga, ports: Ports, intervalSeconds: number): Patrol {
  let stopped = intervalSeconds === 0;
  let callOff = () => {};
  let underWay: Promise<void> = Promise.resolve();

  function wait(): void {
    if (stopped) return;
    callOff = ports.clock.after(1000 * intervalSeconds, () => {
      underWay = sweepOnce().then(wait);
    });
  }

  async function sweepOnce(): Promise<void> {
    try {
      await sweep(saga, ports);
    } catch (error) {
      // The store is away; orders that stand still can wait for the next sweep.
      ports.log('WARNING', 'janitor: the sweep was broken off', { step: 'janitor', error: String(error) });
    }
  }

  return {
    start: wait,
    async stop() {
      stopped = true;
      callOff();
      await underWay;
    },
  };
}
