import { expect } from 'chai';
import { type Status, pipeline as saga } from '../../pipeline.ts';
import { stock } from '../../shop/stock.ts';
import { aLedger, aLedgerThatIs, NOW } from '../../test/support/builders.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { advance, beginWait, complete, fail, type Ledger, resume } from '../ledger/ledger.ts';
import { account, type DocumentRef } from './document.ts';
import { accountsHeld, holdsOf, isAmount } from './holds.ts';
import { movementsOf } from './movements.ts';

const widget = stock.of('widget');
const moved = (ledger: Ledger, of: DocumentRef = widget) =>
  movementsOf(saga, ledger, [of]).map(({ transition, amounts }) => [transition.status, ...amounts]);

/** An order of five widgets that waited, and was amended to three of them before it was reserved. */
function amended(): Ledger {
  const by = 'inventory';
  const line = { item: 'widget', quantity: 5, price_per_unit: 10 };
  const asked = aLedgerThatIs('CREATED', { items: [{ item: 'widget', quantity: 5 }] });
  const waiting = beginWait(saga, asked, {
    ...{ step: by, by, until: NOW, now: NOW },
    learned: { offered: [line] },
  });
  const word = { word: 'amend', items: [{ item: 'widget', quantity: 3 }] };
  const resumed = resume(saga, waiting, { word, by: 'frontend', now: NOW });
  const learned = { lines: [{ ...line, quantity: 3 }] };
  return deepFreeze(advance(saga, resumed, { step: by, by, learned, now: NOW }));
}

function canceled(ledger: Ledger): Ledger {
  const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: NOW };
  return deepFreeze(complete(saga, fail(saga, ledger, failure), 'janitor', NOW));
}

describe('What an order moved in an account', () => {
  it('is nothing before a step takes something', () => {
    expect(moved(aLedger())).to.deep.equal([]);
  });

  it('is what the transition took that reserved it, and no other', () => {
    expect(moved(aLedgerThatIs(saga.success as Status))).to.deep.equal([['RESERVED', 2]]);
  });

  it('[anomaly 13] goes back with the cancellation, not before', () => {
    expect(moved(canceled(aLedgerThatIs('RESERVED')))).to.deep.equal([
      ['RESERVED', 2],
      ['CANCELED', -2],
    ]);
  });

  it('[anomaly 49] goes back in part with the word that takes a part of it out, even in the same millisecond', () => {
    const ledger = amended();
    expect(moved(ledger)).to.deep.equal([
      ['WAITING', 5],
      ['RESUMED', -2],
    ]);
    expect(moved(canceled(ledger)).at(-1)).to.deep.equal(['CANCELED', -3]);
  });

  it('is nothing in an account of the same kind that is another one', () => {
    expect(moved(amended(), stock.of('wotsit'))).to.deep.equal([]);
  });

  it('is nothing in another account that is kept in the same document', () => {
    const weights = account({
      ...{ name: 'weight', path: 'inventory/{item}', balance: 'grams', whole: 'all_grams' },
      ...{ fields: {}, shortage: 'TOO_LIGHT' },
    } as const);
    expect(moved(amended(), weights.of('widget'))).to.deep.equal([]);
  });

  for (const status of saga.statuses) {
    it(`adds up to what the order holds, if it is ${status}`, () => {
      const ledger = aLedgerThatIs(status);
      const paths = [...new Set([...accountsHeld(saga, ledger), widget.path])];
      const accounts = paths.flatMap((path) =>
        saga.accounts.flatMap((kind) => (kind.namesIn(path) ? [{ kind, path }] : [])),
      );
      const held = accounts.map(({ path }) =>
        holdsOf(saga, ledger).reduce(
          (sum, one) => (isAmount(one) && one.path === path ? sum + one.amount : sum),
          0,
        ),
      );
      const sums = movementsOf(saga, ledger, accounts).reduce(
        (sum, { amounts }) => sum.map((amount, place) => amount + (amounts[place] ?? 0)),
        accounts.map(() => 0),
      );
      expect(sums).to.deep.equal(held);
    });
  }
});
