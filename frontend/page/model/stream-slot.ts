/**
 * A browser has six connections over HTTP/1.1 to a server, whatever its number of tabs. Streams use at most four, so that two are left
 * for what a person does.
 */
export const SLOTS = Array.from({ length: 4 }, (_, index) => `stream ${index}`);

/** What is needed of the browser's locks, which all tabs share. A page that did not come over TLS or from this machine has none. */
export interface Locks {
  request(name: string, options: Wish, work: (lock: object | null) => unknown): Promise<unknown>;
}
interface Wish {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Takes one of the slots for a stream.
 * @param onWait is called if all of them are taken, before one is waited for.
 * @returns what leaves the slot to another tab. A tab that is closed leaves its own by itself.
 * @throws if `signal` is aborted while it waits.
 */
export async function takeSlot(
  locks: Locks | undefined,
  signal: AbortSignal,
  onWait: () => void,
): Promise<() => void> {
  if (locks === undefined) return () => {};
  for (const name of SLOTS) {
    const leave = await hold(locks, name, { ifAvailable: true });
    if (leave) return leave;
  }
  onWait();
  const found = new AbortController();
  const wish = { signal: AbortSignal.any([signal, found.signal]) };
  return Promise.any(
    SLOTS.map(async (name) => {
      const leave = await hold(locks, name, wish);
      if (leave === undefined || found.signal.aborted) {
        leave?.();
        throw new Error('Another slot was free before');
      }
      found.abort();
      return leave;
    }),
  );
}

/** @returns what releases the lock; undefined if it is not available. */
function hold(locks: Locks, name: string, wish: Wish): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const held = (lock: object | null) =>
      lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined);
    locks.request(name, wish, held).catch(reject);
  });
}
