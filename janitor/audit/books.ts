import type { Path } from '../../saga/ports/store.ts';
import { type Account, type Amount, nameOf } from '../../saga/step/document.ts';
import type { Violation } from './audit-report.ts';

/** What an account's document says. */
interface Balance {
  readonly account: Account;
  readonly path: Path;
  readonly left: number;
  readonly whole: number;
  readonly corrections: number;
}

/**
 * Adds up what orders hold of each account, and compares that plus what is left with the whole. Sums are exact, however
 * large.
 */
export class Books {
  readonly #accounts: readonly Account[];
  readonly #documents = new Set<Path>();
  readonly #balances = new Map<string, Balance>();
  readonly #held = new Map<string, { readonly account: Account; readonly path: Path; amount: bigint }>();
  #inDoubtUntil: Path | undefined;

  constructor(accounts: readonly Account[]) {
    this.#accounts = accounts;
  }

  /** Enters the document of an account, with its fields if they are well-formed. */
  enter(account: Account, path: Path, fields?: Readonly<Record<string, unknown>>): void {
    this.#documents.add(path);
    if (fields === undefined) return;
    const left = fields[account.balance];
    const whole = account.whole === undefined ? 0 : fields[account.whole];
    // It has both, or none.
    if (typeof left !== 'number' || typeof whole !== 'number') return;
    const corrections = typeof fields.corrections === 'number' ? fields.corrections : 0;
    this.#balances.set(keyOf(account, path), { account, path, left, whole, corrections });
  }

  /** An order holds this amount of an account. With 0, it only needs the account to exist. */
  hold({ account, path, amount }: Amount): void {
    const key = keyOf(account, path);
    const held = this.#held.get(key) ?? { account, path, amount: 0n };
    held.amount += BigInt(amount);
    this.#held.set(key, held);
  }

  /** An order has a record at this path, so the account above it must exist. */
  needParentOf(path: Path): void {
    const names = path.split('/');
    for (let length = names.length - 2; length > 0; length -= 2) {
      const parent = names.slice(0, length).join('/');
      const account = this.#accounts.find((one) => one.namesIn(parent) !== undefined);
      if (account !== undefined) this.hold({ account, path: parent, amount: 0 });
    }
  }

  /**
   * Something is wrong with this ledger or record, so that what orders hold is not known for certain. It may be something of
   * any account: a step of a newer release may take from one that this ledger does not name. No account is corrected before
   * that is mended.
   */
  doubt(path: Path): void {
    // Several scans find them; the first by its path is named, so that every audit says the same.
    if (this.#inDoubtUntil === undefined || path < this.#inDoubtUntil) this.#inDoubtUntil = path;
  }

  /** What does not add up, and accounts that orders need and that don't exist. */
  *faults(): Iterable<Violation> {
    for (const [key, { account, path, amount }] of this.#held) {
      if (this.#documents.has(path)) continue;
      if (account.whole === undefined) {
        // A counter that is not there counts nothing.
        this.#balances.set(key, { account, path, left: 0, whole: 0, corrections: 0 });
        continue;
      }
      const held = amount === 0n ? 'orders need it' : `orders hold ${amount} of it`;
      const sentence = `There is no ${nameOf({ kind: account, path })} at ${path}, but ${held}`;
      yield { kind: 'missing-account', path, sentence };
    }
    for (const [key, balance] of this.#balances) {
      const held = this.#held.get(key)?.amount ?? 0n;
      const missing = BigInt(balance.whole) - BigInt(balance.left) - held;
      if (missing !== 0n)
        yield { kind: 'total', path: balance.path, ...this.#faultOf(balance, held, missing) };
    }
  }

  #faultOf({ account, path, left, whole, corrections }: Balance, held: bigint, missing: bigint) {
    const fault = missing > 0n ? `${missing} missing` : `${-missing} too many`;
    const sum = BigInt(left) + held;
    const sentence = `${path}: ${account.balance} ${left} and ${held} held by orders make ${sum}, not ${whole}: ${fault}`;
    const inDoubtUntil = this.#inDoubtUntil;
    if (inDoubtUntil !== undefined) {
      return { sentence: `${sentence}; in doubt until ${inDoubtUntil} is mended`, inDoubtUntil };
    }
    // A balance can't be below 0: no correction can repair that.
    if (BigInt(left) + missing < 0n) return { sentence: `${sentence}; more is held than there ever was` };
    return { sentence, correction: { field: account.balance, by: Number(missing), corrections } };
  }
}

const keyOf = (account: Account, path: Path): string => `${account.balance} ${path}`;
