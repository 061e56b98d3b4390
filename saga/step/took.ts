import { CANCELED, type Ledger } from '../ledger/ledger.ts';
import { ledgerAfter } from '../ledger/ledger-at.ts';
import { type Hold, lastNameOf } from './document.ts';
import { holdsOfAct, isAmount } from './holds.ts';
import type { Saga } from './saga.ts';

/** What a step made the order hold: an amount of an account (negative: it was given to it), or a record. */
export type Took =
  | { readonly step: string; readonly kind: string; readonly name: string; readonly amount: number }
  | { readonly step: string; readonly kind: string; readonly path: string };

/**
 * What each step made the order hold, in the order in which they were done. Of an order that has failed it is what it held until
 * then, although it goes back, or is back already.
 */
export function tookOf(saga: Saga, ledger: Ledger): readonly Took[] {
  const held = whileItHeld(saga, ledger);
  return saga
    .actsOf(held)
    .flatMap((act) => holdsOfAct(act, held).flatMap((hold) => tookBy(act.step.name, hold)));
}

function tookBy(step: string, hold: Hold): Took[] {
  if (!isAmount(hold)) return [{ step, kind: hold.record.name, path: hold.path }];
  const { account, path, amount } = hold;
  if (amount === 0) return [];
  return [{ step, kind: account.name, name: lastNameOf({ kind: account, path }), amount }];
}

/** A canceled order holds nothing; until that last transition, it held all that it had taken. */
function whileItHeld(saga: Saga, ledger: Ledger): Ledger {
  if (ledger.status !== CANCELED) return ledger;
  return ledgerAfter(saga, ledger, ledger.history.length - 1) ?? ledger;
}
