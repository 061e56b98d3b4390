/** Chance that comes from a seed alone: the same seed always throws the same dice. */

/** A number in [0, 1) that belongs to a text, spread evenly (FNV-1a, then the finalizer of MurmurHash3). */
export function chanceOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Dice for drawing a plan. */
export class Dice {
  readonly #seed: string;
  #throws = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** A number in [0, 1). */
  readonly chance = (): number => chanceOf(`${this.#seed}/${this.#throws++}`);

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.chance() * (max - min + 1));
  }

  /** True in `share` of all cases. */
  often(share: number): boolean {
    return this.chance() < share;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.whole(0, choices.length - 1)] as T;
  }

  /** Some of the choices, at least one, each at most once. */
  someOf<T>(choices: readonly T[], max: number): T[] {
    const left = [...choices];
    const count = this.whole(1, Math.min(max, left.length));
    return Array.from({ length: count }, () => left.splice(this.whole(0, left.length - 1), 1)[0] as T);
  }
}
