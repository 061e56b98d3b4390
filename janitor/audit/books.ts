import type { Path } from '../../saga/ports/store.ts';
import type { Correction } from './audit-report.ts';

/** What is left of one item, or of one customer's credit. */
export interface Balance {
  readonly field: Correction['field'];
  readonly left: number;
  /** What there was in all; undefined where nobody has noted it, so that nothing can be proved. */
  readonly whole: number | undefined;
  readonly corrections: number;
}

/** A balance that does not come to what there was, or that is not there at all. */
export interface Imbalance {
  readonly path: Path;
  readonly sentence: string;
  readonly correction?: Correction;
  readonly inDoubt?: true;
}

/**
 * Adds up what orders hold of each item and of each credit, and compares it with what is left and what there was. Sums
 * are exact however large they become.
 */
export class Books {
  readonly #balances = new Map<Path, Balance | undefined>();
  readonly #held = new Map<Path, bigint>();
  readonly #doubtful = new Set<Path>();

  /** Enters an item or a customer; without a balance where there is nothing to compare. */
  enter(path: Path, balance: Balance | undefined): void {
    this.#balances.set(path, balance);
  }

  /** An order holds so much of it. */
  hold(path: Path, amount: number): void {
    this.#held.set(path, (this.#held.get(path) ?? 0n) + BigInt(amount));
  }

  /** Something is wrong with what is held of it: its balance must not be corrected before that is mended. */
  doubt(path: Path): void {
    this.#doubtful.add(path);
  }

  /** What is held of something that has no document, and what does not add up. */
  *imbalances(): Iterable<Imbalance> {
    for (const [path, held] of this.#held) {
      if (held > 0n && !this.#balances.has(path)) {
        yield { path, sentence: `${path} does not exist, but orders hold ${held} of it` };
      }
    }
    for (const [path, balance] of this.#balances) {
      if (balance?.whole === undefined) continue;
      const missing = BigInt(balance.whole) - BigInt(balance.left) - (this.#held.get(path) ?? 0n);
      if (missing !== 0n) yield this.#imbalance(path, balance, balance.whole, missing);
    }
  }

  #imbalance(path: Path, balance: Balance, whole: number, missing: bigint): Imbalance {
    const { field, left, corrections } = balance;
    const held = this.#held.get(path) ?? 0n;
    const fault = missing > 0n ? `${missing} missing` : `${-missing} too many`;
    const sentence = `${path}: ${field} ${left} and ${held} held by orders make ${BigInt(left) + held}, not ${whole}: ${fault}`;
    const after = BigInt(left) + missing;
    // Less than nothing can't be left: more is held than there ever was, which no counter can mend.
    if (after < 0n) return { path, sentence: `${sentence}; more is held than there ever was` };
    if (this.#doubtful.has(path)) return { path, sentence, inDoubt: true };
    return { path, sentence, correction: { field, by: Number(missing), corrections } };
  }
}
