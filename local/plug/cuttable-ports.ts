import type { Bus, OpenSubscription, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Store, StoreError, Watching } from '../../saga/ports/store.ts';

/**
 * A store each of whose calls first passes a gate, which may take its time, or throw a StoreError. So does all that a watch tells:
 * it stands still as long as the gate takes, and fails with what that throws. Only `close` is always possible.
 */
export function gatedStore(store: Store, gate: () => Promise<void>): Store {
  const gated =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await gate();
      return call(...args);
    };
  // All of them by name: a new one of the port does not compile until it is gated.
  return {
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
        count: gated((query) => snapshot.count(query)),
      };
    }),
    watch: (path, tell, fail) => gatedWatch(gate, tell, fail, (...told) => store.watch(path, ...told)),
    watchChanges: (changes, tell, fail) =>
      gatedWatch(gate, tell, fail, (...told) => store.watchChanges(changes, ...told)),
    close: () => store.close(),
  };
}

function gatedWatch<Told>(
  gate: () => Promise<void>,
  tell: (told: Told) => void,
  fail: (error: StoreError) => void,
  watch: (tell: (told: Told) => void, fail: (error: StoreError) => void) => Watching,
): Watching {
  let isOpen = true;
  /** One after the other, as they were told. */
  let passed = Promise.resolve();
  const pass = (goOn: () => void) => {
    passed = passed
      .then(gate)
      .then(() => {
        if (isOpen) goOn();
      })
      .catch(end);
  };
  const watching = watch(
    (told) => pass(() => tell(told)),
    (error) => pass(() => end(error)),
  );
  function close(): void {
    isOpen = false;
    watching.close();
  }
  function end(error: StoreError): void {
    if (!isOpen) return;
    close();
    fail(error);
  }
  return { close };
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
    close: () => bus.close(),
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
