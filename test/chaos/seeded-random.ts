/** Chance that a seed decides: the same seed draws the same numbers, on every machine. */
export interface SeededRandom {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  /** Whether something of this probability happens. */
  happens(probability: number): boolean;
  /** One of them. @throws Error where there is none. */
  pick<T>(choices: readonly T[]): T;
}

/** mulberry32, https://github.com/cprosche/mulberry32: small, and good enough to spread faults over a run. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    happens: (probability) => next() < probability,
    pick(choices) {
      if (choices.length === 0) throw new Error('There is nothing to pick from');
      return choices[between(0, choices.length - 1)] as (typeof choices)[number];
    },
  };
}
