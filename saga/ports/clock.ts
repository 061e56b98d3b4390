/**
 * Time, as the rest of the project sees it. Only implementations of this interface ask the machine for the time or wait,
 * so that a test or a simulation can drive both.
 */
export interface Clock {
  /** The present moment. */
  now(): Date;
  /** Runs `action` once, `delayMs` milliseconds from now. Returns a function that calls it off. */
  after(delayMs: number, action: () => void): () => void;
}

/** Resolves after `delayMs` milliseconds of the clock's time. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/**
 * Waits for work, but no longer than `limitMs` milliseconds.
 * @returns whether it ended in time. Rejects if the work rejects in that time.
 */
export function endsWithin(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () => resolve(false));
    work.then(() => resolve(true), reject).finally(cancel);
  });
}
