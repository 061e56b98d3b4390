import { createBatcher } from './batcher.ts';
import type { Bus, Delivery } from './bus.ts';
import { BATCH_MAX } from './group-commit.ts';

/**
 * Takes what a subscription delivers, a batch at a time. What has arrived waits in our own queue, never inside a
 * client library, so that all of it can be handed back when the process is told to stop.
 */
export interface Consumer {
  /** How many messages have been delivered so far. */
  readonly deliveredCount: () => number;
  /**
   * Stops taking and hands back at once what waited. Resolves when the batch under way is done and the broker has
   * been told, or after `timeoutMs`.
   */
  close(timeoutMs: number): Promise<void>;
}

/** A commit may hold 10 MiB, on the emulator less than 4; what a message says goes into it about twice. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** What the broker is asked to hand out at most: the batch under way and a few waiting ones. */
export const OUTSTANDING_MAX = 4 * BATCH_MAX;
/** What we hold at most when the broker hands out more than it was asked for; what is beyond goes back. */
export const QUEUE_MAX = 4 * OUTSTANDING_MAX;

/**
 * Opens a subscription and hands its deliveries to `process`, batch by batch.
 * @param process acks or nacks every delivery of the batch; must not reject.
 * @param onFailure is told when the subscription can't go on.
 */
export function startConsumer(
  bus: Bus,
  subscription: string,
  process: (deliveries: readonly Delivery[]) => Promise<void>,
  onFailure: (error: Error) => void,
): Consumer {
  const batcher = createBatcher<Delivery>({
    run: process,
    batchMax: BATCH_MAX,
    queueMax: QUEUE_MAX,
    weightOf: ({ data }) => data.length,
    weightMax: BATCH_BYTES_MAX,
  });
  let deliveredCount = 0;
  const open = bus.subscribe(
    subscription,
    OUTSTANDING_MAX,
    (delivery) => {
      deliveredCount++;
      if (!batcher.add(delivery)) delivery.nack();
    },
    onFailure,
  );
  return {
    deliveredCount: () => deliveredCount,
    async close(timeoutMs) {
      const closing = open.close(timeoutMs);
      for (const delivery of batcher.stop()) delivery.nack();
      await closing;
    },
  };
}
