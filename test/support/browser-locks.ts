import type { Locks } from '../../frontend/page/model/stream-slot.ts';

/** The locks that the tabs of a browser share, as far as they are used: https://w3c.github.io/web-locks/ */
export function createLocks(): Locks & { isFree(name: string): boolean } {
  /** Who waits for each lock that is held. */
  const queues = new Map<string, Set<() => void>>();
  return {
    isFree: (name) => !queues.has(name),
    async request(name, { ifAvailable, signal }, work) {
      signal?.throwIfAborted();
      const queue = queues.get(name);
      if (queue && ifAvailable) return work(null);
      if (queue) {
        await new Promise<void>((resolve, reject) => {
          queue.add(resolve);
          signal?.addEventListener('abort', () => {
            if (queue.delete(resolve)) reject(signal.reason);
          });
        });
      } else queues.set(name, new Set());
      await work({ name });
      const waiting = queues.get(name) ?? new Set();
      const [next] = waiting;
      if (next) {
        waiting.delete(next);
        next();
      } else queues.delete(name);
      return undefined;
    },
  };
}
