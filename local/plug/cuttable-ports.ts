import type { Bus, OpenSubscription, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Store } from '../../saga/ports/store.ts';

/** A store each of whose calls first passes a gate, which may take its time, or throw. */
export function gatedStore(store: Store, gate: () => Promise<void>): Store {
  const gated =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await gate();
      return call(...args);
    };
  return {
    ...store,
    count: gated((query) => store.count(query)),
    read: gated((paths) => store.read(paths)),
    commit: gated((writes) => store.commit(writes)),
    query: gated((query) => store.query(query)),
    due: gated((query) => store.due(query)),
    list: gated((collection, limit) => store.list(collection, limit)),
    erase: gated((collection, onProgress) => store.erase(collection, onProgress)),
    snapshot: gated(async () => {
      const snapshot = await store.snapshot();
      return {
        read: gated((paths) => snapshot.read(paths)),
        scan: gated((scan) => snapshot.scan(scan)),
      };
    }),
  };
}

/** A bus that can be cut off. What it has handed out before can still be acked. */
export interface CuttableBus extends Bus {
  cut(): void;
  mend(): void;
}

/** @param onPublished gets each message that the broker has taken. */
export function cuttableBus(bus: Bus, onPublished: (message: OutgoingMessage) => void): CuttableBus {
  const isAway = () => new Error('The broker is cut off');
  let isCut = false;
  /** How each subscription is opened, and what it is open by now; nothing while the bus is cut off. */
  const subscriptions = new Map<() => OpenSubscription, OpenSubscription | undefined>();
  return {
    ...bus,
    async publish(messages) {
      if (isCut) return messages.map(isAway);
      const results = await bus.publish(messages);
      messages.forEach((message, index) => {
        if (results[index] === undefined) onPublished(message);
      });
      return results;
    },
    subscribe(...asked) {
      const open = () => bus.subscribe(...asked);
      subscriptions.set(open, isCut ? undefined : open());
      return {
        async close(timeoutMs) {
          const current = subscriptions.get(open);
          subscriptions.delete(open);
          await current?.close(timeoutMs);
        },
      };
    },
    async missing(topics, names) {
      if (isCut) throw isAway();
      return bus.missing(topics, names);
    },
    cut() {
      isCut = true;
      for (const [open, current] of subscriptions) {
        // Nobody waits for it: what it has handed out may take its time.
        void current?.close(0);
        subscriptions.set(open, undefined);
      }
    },
    mend() {
      isCut = false;
      for (const open of subscriptions.keys()) subscriptions.set(open, open());
    },
  };
}
