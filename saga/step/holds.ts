import { isDeepStrictEqual } from 'node:util';
import type { Documents, Write } from '../commit/documents.ts';
import { create, remove, update } from '../commit/documents.ts';
import { transitionTo } from '../ledger/history.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LEDGER_FIELDS } from '../ledger/read-ledger.ts';
import type { Path } from '../ports/store.ts';
import { type Account, type Amount, type HeldRecord, type Hold, nameOf, readDocument } from './document.ts';
import type { Act, Saga } from './saga.ts';
import { knownTo, type Step } from './step.ts';

/**
 * What orders hold, and the writes that turn what an order held before into what it holds after. No step has an undo: a
 * canceled order holds nothing, so everything it held goes back.
 */

/** What an order holds according to its ledger: the sum over its acts. */
export const holdsOf = (saga: Saga, ledger: Ledger): readonly Hold[] =>
  saga.actsOf(ledger).flatMap((act) => holdsOfAct(act, ledger));

/** What an order holds because of one of its acts. */
export function holdsOfAct(act: Act, ledger: Ledger): readonly Hold[] {
  const { step, since, status } = act;
  // An order that passed before its step could wait has never had the status of the wait.
  const began = transitionTo(ledger, since) ?? transitionTo(ledger, status);
  const holds = act.holds(knownTo(step, ledger, began?.at));
  for (const hold of holds) {
    const kind = isAmount(hold) ? hold.account : hold.record;
    if (!step.uses.includes(kind))
      throw new Error(`${step.name} does not say that it uses the ${kind.name} which it holds`);
  }
  return holds;
}

export const isAmount = (hold: Hold): hold is Amount => 'account' in hold;

/** The accounts of which an order holds an amount. */
export const accountsHeld = (saga: Saga, ledger: Ledger): readonly Path[] =>
  holdsOf(saga, ledger).flatMap((hold) => (isAmount(hold) ? [hold.path] : []));

/** The documents that may change if a step decides again: the accounts, and what its wait makes the order hold. */
export const changeableBy = (saga: Saga, step: Step, ledger: Ledger): readonly Path[] =>
  saga
    .actsOf(ledger)
    .flatMap((act) =>
      holdsOfAct(act, ledger).flatMap((hold) => (act.step === step || isAmount(hold) ? [hold.path] : [])),
    );

/** The records among what an order holds. */
export const recordsIn = (holds: readonly Hold[]): readonly HeldRecord[] =>
  holds.filter((hold): hold is HeldRecord => !isAmount(hold));

/** An account that has less than would be taken from it. */
export interface Shortage {
  readonly reason: string;
  readonly detail: string;
}

/** Either the writes, or the account that has too little left. */
export type Change = { readonly writes: readonly Write[] } | { readonly shortage: Shortage };

/**
 * The writes that lead from what an order held to what it holds: `holds(after) − holds(before)`.
 * @param before undefined if there is no ledger yet.
 * @throws Error if something must be taken from, or given back to, a document that does not exist.
 */
export function changeOf(
  saga: Saga,
  before: Ledger | undefined,
  after: Ledger,
  documents: Documents,
): Change {
  const { gone, come } = differingActs(saga, before, after);
  const taken = new Map<string, { account: Account; path: Path; amount: number }>();
  const records = new Map<Path, { before?: HeldRecord; after?: HeldRecord }>();
  const enter = (hold: Hold, when: 'before' | 'after') => {
    if (isAmount(hold)) {
      const { account, path, amount } = hold;
      const key = `${account.balance} ${path}`;
      const signed = when === 'after' ? amount : -amount;
      taken.set(key, { account, path, amount: (taken.get(key)?.amount ?? 0) + signed });
    } else {
      const known = records.get(hold.path);
      if (known?.[when]) throw new Error(`The order holds the ${hold.record.name} ${hold.path} twice`);
      records.set(hold.path, { ...known, [when]: hold });
    }
  };
  for (const act of gone) for (const hold of holdsOfAct(act, before as Ledger)) enter(hold, 'before');
  for (const act of come) for (const hold of holdsOfAct(act, after)) enter(hold, 'after');
  const writes: Write[] = [];
  for (const one of taken.values()) {
    const moved = moveBalance(one, documents);
    if ('shortage' in moved) return moved;
    writes.push(...moved.writes);
  }
  for (const [path, { before: held, after: holds }] of records) {
    if (holds === undefined) writes.push(remove(path));
    else if (held === undefined) writes.push(create(path, holds.fields));
    else if (!isDeepStrictEqual(held.fields, holds.fields)) {
      const lost = Object.keys(held.fields).find((field) => !(field in holds.fields));
      if (lost !== undefined) throw new Error(`${path}: ${lost} can be changed, but not left out`);
      writes.push(update(path, holds.fields));
    }
  }
  return { writes };
}

/**
 * The acts whose holds may differ: those that came or went, and all if something else is known than before. The others are not
 * asked: an order can be failed, announced and shown to people even if its holds can't be told.
 */
function differingActs(saga: Saga, before: Ledger | undefined, after: Ledger) {
  const come = saga.actsOf(after);
  if (before === undefined) return { gone: [], come };
  const gone = saga.actsOf(before);
  const known = [
    'heard',
    ...Object.keys(before).filter((field) => !LEDGER_FIELDS.has(field)),
  ] as (keyof Ledger)[];
  if (known.some((field) => before[field] !== after[field])) return { gone, come };
  return { gone: gone.filter((act) => !come.includes(act)), come: come.filter((act) => !gone.includes(act)) };
}

function moveBalance(
  { account, path, amount }: { account: Account; path: Path; amount: number },
  documents: Documents,
): Change {
  if (amount === 0) return { writes: [] };
  const name = nameOf({ kind: account, path });
  const found = readDocument(documents, { kind: account, path });
  if (found === undefined && account.whole === undefined && amount < 0) {
    return { writes: [create(path, { [account.balance]: -amount })] };
  }
  if (found === undefined) {
    // There is nowhere to put it. The message comes again, and in the end people look at it.
    throw new Error(
      amount < 0
        ? `${-amount} can't be given back: there is no ${name} any more`
        : `${amount} can't be taken: there is no ${name}`,
    );
  }
  const left = (found as Readonly<Record<string, number | undefined>>)[account.balance];
  if (left === undefined) {
    if (amount > 0) throw new Error(`${amount} can't be taken from ${name}, which has no ${account.balance}`);
    // The limit was lifted meanwhile, and without a balance there is nothing to add to.
    return { writes: [] };
  }
  const after = left - amount;
  if (after < 0) {
    if (account.shortage === undefined)
      throw new Error(`${amount} can't be taken off ${name}, which counts only ${left}`);
    return {
      shortage: {
        reason: account.shortage,
        detail: `${name} has ${account.balance} ${left}, which is less than ${amount}`,
      },
    };
  }
  if (!Number.isSafeInteger(after))
    throw new Error(`The ${account.balance} of ${name} would be too large to be counted`);
  return { writes: [update(path, { [account.balance]: after })] };
}
