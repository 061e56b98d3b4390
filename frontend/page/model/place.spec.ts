import { expect } from 'chai';
import { type Locks, PLACES, takePlace } from './place.ts';

/** The locks of a browser, as far as they are used here: https://w3c.github.io/web-locks/ */
function createLocks(): Locks {
  const queues = new Map<string, (() => void)[]>();
  return {
    async request(name, { ifAvailable, signal }, work) {
      signal?.throwIfAborted();
      const queue = queues.get(name);
      if (queue && ifAvailable) return work(null);
      if (queue) {
        await new Promise<void>((resolve, reject) => {
          queue.push(resolve);
          signal?.addEventListener('abort', () => {
            queue.splice(queue.indexOf(resolve), 1);
            reject(signal.reason);
          });
        });
      } else queues.set(name, []);
      await work({ name });
      const next = queues.get(name)?.shift();
      if (next) next();
      else queues.delete(name);
      return undefined;
    },
  };
}

describe('Streams in many tabs', () => {
  const never = new AbortController().signal;
  const unexpected = () => {
    throw new Error('Nothing was to be waited for');
  };

  it('take some of the places, and the next waits until one is left', async () => {
    const locks = createLocks();
    const leaves = await Promise.all(PLACES.map(() => takePlace(locks, never, unexpected)));
    const trail: string[] = [];
    const next = takePlace(locks, never, () => trail.push('waits')).then((leave) => {
      trail.push('has a place');
      return leave;
    });
    await new Promise(setImmediate);
    trail.push('one is left');
    leaves[2]?.();
    const leave = await next;
    expect(trail).to.deep.equal(['waits', 'one is left', 'has a place']);
    // It holds one place, not all for which it waited.
    for (const other of leaves) other();
    await new Promise(setImmediate);
    await Promise.all(PLACES.slice(1).map(() => takePlace(locks, never, unexpected)));
    leave();
    await new Promise(setImmediate);
    await takePlace(locks, never, unexpected);
  });

  it('stop to wait when nobody wants them any more', async () => {
    const locks = createLocks();
    const [first] = await Promise.all(PLACES.map(() => takePlace(locks, never, unexpected)));
    const stopped = new AbortController();
    const waiting = takePlace(locks, stopped.signal, () => stopped.abort());
    expect(await waiting.catch(() => 'stopped')).to.equal('stopped');
    first?.();
    await new Promise(setImmediate);
    await takePlace(locks, never, unexpected);
  });

  it('are as many as one likes where the browser has no locks', async () => {
    for (const _ of [...PLACES, 'one more']) await takePlace(undefined, never, unexpected);
  });
});
