import { expect } from 'chai';
import { aSagaThatIs, LATER, NOW } from '../../test/support/builders.ts';
import { lastTransition, transitionsOf } from './history.ts';
import { fail } from './ledger.ts';

describe('The history of a ledger', () => {
  it('says who moved it where, and when, the oldest first', () => {
    const saga = fail(
      aSagaThatIs('CREATED'),
      'inventory',
      'ITEM_NOT_FOUND',
      'There is no item widget',
      LATER,
    );
    const transitions = [
      { status: 'RECEIVED', by: 'frontend', at: NOW },
      { status: 'CREATED', by: 'order', at: NOW },
      { status: 'FAILING', by: 'inventory', at: LATER },
    ];
    expect(transitionsOf(saga)).to.deep.equal(transitions);
    expect(lastTransition(saga)).to.deep.equal(transitions.at(-1));
  });
});
