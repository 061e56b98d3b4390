/**
 * A browser has six connections over HTTP/1.1 to a server, whatever its number of tabs. Streams take so many of them, and leave the
 * others to what a person does.
 */
export const PLACES = Array.from({ length: 4 }, (_, index) => `stream ${index}`);

/** What is needed of the browser's locks, which all tabs share. A page that did not come over TLS or from this machine has none. */
export interface Locks {
  request(name: string, options: Wish, work: (lock: object | null) => unknown): Promise<unknown>;
}
interface Wish {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Takes one of the places for a stream.
 * @param onWait is called if all of them are taken, before one is waited for.
 * @returns what leaves the place to another tab. A tab that is closed leaves its own by itself.
 * @throws what `stopped` was aborted for.
 */
export async function takePlace(
  locks: Locks | undefined,
  stopped: AbortSignal,
  onWait: () => void,
): Promise<() => void> {
  if (locks === undefined) return () => {};
  for (const name of PLACES) {
    const leave = await hold(locks, name, { ifAvailable: true });
    if (leave) return leave;
  }
  onWait();
  const found = new AbortController();
  const signal = AbortSignal.any([stopped, found.signal]);
  return Promise.any(
    PLACES.map(async (name) => {
      const leave = await hold(locks, name, { signal });
      if (leave === undefined || found.signal.aborted) {
        leave?.();
        throw new Error('Another place was faster');
      }
      found.abort();
      return leave;
    }),
  );
}

/** @returns what releases the lock; undefined if it is not to be had. */
function hold(locks: Locks, name: string, options: Wish): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const held = (lock: object | null) =>
      lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined);
    locks.request(name, options, held).catch(reject);
  });
}
