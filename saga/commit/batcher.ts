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
  /** Resolves once no batch is under way: after `stop`, when the last one is done. */
  done(): Promise<void>;
}

export interface BatcherOptions<T> {
  /** Processes one batch; the next one starts when it has resolved. Must not reject. */
  readonly run: (items: readonly T[]) => Promise<void>;
  /** The most items in one batch. */
  readonly batchMax: number;
  /** The most items that may wait. */
  readonly queueMax: number;
  /** The weight of an item, and the most that one batch may weigh; a single item may weigh more. */
  readonly weightOf: (item: T) => number;
  readonly weightMax: number;
  /** The most that all waiting items may weigh together; a single item may weigh more. */
  readonly queueWeightMax: number;
}

export function createBatcher<T>({
  run,
  batchMax,
  queueMax,
  weightOf,
  weightMax,
  queueWeightMax,
}: BatcherOptions<T>): Batcher<T> {
  let queue: T[] = [];
  let queueWeight = 0;
  let stopped = false;
  let running: Promise<void> | undefined;

  function nextSize(): number {
    let weight = 0;
    const size = queue.slice(0, batchMax).findIndex((item, index) => {
      weight += weightOf(item);
      return index > 0 && weight > weightMax;
    });
    return size === -1 ? batchMax : size;
  }

  async function runAll(): Promise<void> {
    // A burst arrives item by item: let it end before the first batch starts.
    await Promise.resolve();
    while (queue.length > 0) {
      const size = nextSize();
      const batch = queue.slice(0, size);
      queue = queue.slice(size);
      for (const item of batch) queueWeight -= weightOf(item);
      await run(batch);
    }
    running = undefined;
  }

  return {
    add(item) {
      const weight = weightOf(item);
      const isTooHeavy = queue.length > 0 && queueWeight + weight > queueWeightMax;
      if (stopped || queue.length >= queueMax || isTooHeavy) return false;
      queue.push(item);
      queueWeight += weight;
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
