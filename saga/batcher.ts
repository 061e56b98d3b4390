/**
 * Natural batching: while one batch is under way, what arrives waits; when it is done, everything that waited is
 * the next batch. There is no timer: a single item is never delayed, and under load the batches grow by
 * themselves to the size at which the work keeps up.
 */
export interface Batcher<T> {
  /** Takes an item for the next batch; false when the queue is full and the item was not taken. */
  add(item: T): boolean;
  /** Takes nothing more and starts no further batch. Returns the items that were never started. */
  stop(): readonly T[];
  /** Resolves once the batch under way is done. */
  done(): Promise<void>;
}

export interface BatcherOptions<T> {
  /** Processes one batch; the next one starts when it has resolved. Must not reject. */
  readonly run: (items: readonly T[]) => Promise<void>;
  /** The most items in one batch. */
  readonly batchMax: number;
  /** The most items that wait. */
  readonly queueMax: number;
}

export function createBatcher<T>({ run, batchMax, queueMax }: BatcherOptions<T>): Batcher<T> {
  let queue: T[] = [];
  let stopped = false;
  let running: Promise<void> | undefined;

  async function runAll(): Promise<void> {
    // What arrives in one burst is handed over item by item: let the burst end before the first batch starts.
    await Promise.resolve();
    while (queue.length > 0) {
      const batch = queue.slice(0, batchMax);
      queue = queue.slice(batchMax);
      await run(batch);
    }
    running = undefined;
  }

  return {
    add(item) {
      if (stopped || queue.length >= queueMax) return false;
      queue.push(item);
      running ??= runAll();
      return true;
    },
    stop() {
      stopped = true;
      const left = queue;
      queue = [];
      return left;
    },
    async done() {
      await running;
    },
  };
}
