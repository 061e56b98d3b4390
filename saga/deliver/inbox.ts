import { createBatcher } from '../commit/batcher.ts';
import { BATCH_MAX } from '../commit/group-commit.ts';
import { type Bus, type Delivery, type OpenSubscription, sizeOf } from '../ports/bus.ts';
import type { Service } from './service.ts';
import { subscriptionOf, type Topology } from './topology.ts';

/**
 * Where the deliveries of one subscription wait until the next batch takes them, whether they were pulled, pushed over HTTP
 * or handed over by a function. None waits inside a client library, so all of them can be handed back when the process is
 * told to stop.
 */
export interface Inbox {
  /** Takes a delivery; hands it back at once if there is no room or the inbox is closed. */
  deliver(delivery: Delivery): void;
  /** How many deliveries have come so far. */
  readonly deliveredCount: () => number;
  /**
   * Opens a subscription, whose deliveries then come here. Once at most.
   * @param onFailure is told when the subscription can't go on.
   */
  pull(bus: Bus, subscription: string, onFailure: (error: Error) => void): void;
  /**
   * Hands back at once what waits, and whatever comes later. Resolves when the batch under way is done and the broker has been
   * told; of a subscription, after `timeoutMs` at the latest.
   */
  close(timeoutMs: number): Promise<void>;
}

/** A commit may have 10 MiB, on the emulator less than 4, and what a message says goes into it about twice. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** The most that we ask the broker to hand out: the batch under way and a few waiting ones. */
export const OUTSTANDING_MAX = 4 * BATCH_MAX;
/** The most that we keep if the broker hands out more than we asked for; the rest goes back. */
export const QUEUE_MAX = 4 * OUTSTANDING_MAX;

/** A service has 512 MiB, may read several subscriptions, and needs memory for more than what waits. */
export const QUEUE_BYTES_MAX = 64 * 1024 * 1024;

/** @param process acks or nacks every delivery of the batch; must not reject. */
export function createInbox(process: (deliveries: readonly Delivery[]) => Promise<void>): Inbox {
  let deliveredCount = 0;
  const batcher = createBatcher<Delivery>({
    run: process,
    batchMax: BATCH_MAX,
    queueMax: QUEUE_MAX,
    weightOf: sizeOf,
    weightMax: BATCH_BYTES_MAX,
    queueWeightMax: QUEUE_BYTES_MAX,
  });
  let pulled: OpenSubscription | undefined;
  function deliver(delivery: Delivery): void {
    deliveredCount++;
    if (!batcher.add(delivery)) delivery.nack();
  }
  return {
    deliver,
    deliveredCount: () => deliveredCount,
    pull(bus, subscription, onFailure) {
      pulled = bus.subscribe(subscription, OUTSTANDING_MAX, deliver, onFailure);
    },
    async close(timeoutMs) {
      const closing = pulled?.close(timeoutMs);
      for (const delivery of batcher.stop()) delivery.nack();
      await (closing ?? batcher.done());
    },
  };
}

/** The inbox of a subscription. */
export interface SubscribedInbox {
  readonly topic: string;
  readonly subscription: string;
  readonly inbox: Inbox;
}

/** An inbox for each subscription that the service reads. */
export const inboxesOf = ({ name, consumers }: Service, topology: Topology): SubscribedInbox[] =>
  consumers.map(({ topic, process }) => ({
    topic,
    subscription: subscriptionOf(topology, name, topic),
    inbox: createInbox(process),
  }));
