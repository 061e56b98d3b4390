/**
 * Time, as the rest of the project sees it. Nothing but an implementation of this interface asks the machine
 * what time it is or waits, so that a test or a simulation can drive both.
 */
export interface Clock {
  /** The present moment. */
  now(): Date;
  /** Runs `action` once, `delayMs` milliseconds from now. Returns what calls it off. */
  after(delayMs: number, action: () => void): () => void;
}

/** Resolves after `delayMs` milliseconds of the clock's time. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
