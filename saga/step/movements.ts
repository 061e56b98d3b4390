import { copiedCount, type Transition, transitionsOf } from '../ledger/history.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerAfter } from '../ledger/ledger-at.ts';
import type { DocumentRef } from './document.ts';
import { holdsOf, isAmount } from './holds.ts';
import type { Saga } from './saga.ts';

/** What one transition of an order moved in accounts. */
export interface Movement {
  readonly transition: Transition;
  /** For each account that was asked about, in their order: positive was taken from it, negative was given to it. */
  readonly amounts: readonly number[];
}

/**
 * What an order moved in these accounts, the oldest first. No account keeps a list: a transition moved the difference of what the
 * order held before it and after it, and its ledger tells both. Transitions that moved nothing there are left out.
 */
export function movementsOf(
  saga: Saga,
  ledger: Ledger,
  accounts: readonly DocumentRef[],
): readonly Movement[] {
  let before: readonly number[] = [];
  const copied = copiedCount(ledger);
  return transitionsOf(ledger).flatMap((transition, index) => {
    // A fork takes all that it holds when it is made.
    if (index < copied) return [];
    const held = heldOf(saga, ledgerAfter(saga, ledger, index + 1) ?? ledger, accounts);
    const amounts = held.map((amount, place) => amount - (before[place] ?? 0));
    before = held;
    return amounts.some((amount) => amount !== 0) ? [{ transition, amounts }] : [];
  });
}

/** How much an order holds of each account. */
function heldOf(saga: Saga, ledger: Ledger, accounts: readonly DocumentRef[]): number[] {
  const holds = holdsOf(saga, ledger).filter(isAmount);
  return accounts.map(({ kind, path }) =>
    holds.reduce((sum, one) => (one.account === kind && one.path === path ? sum + one.amount : sum), 0),
  );
}
