import { expect } from 'chai';
import { aLedger, LATER, NOW } from '../../test/support/builders.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { historyLine, lastTransition, statusIn, transitionsOf, transitionTo } from './history.ts';
import { fail } from './ledger.ts';

const failed = fail(pipeline, aLedgerThatIs('CREATED'), {
  by: 'inventory',
  reason: 'ITEM_NOT_FOUND',
  detail: 'There is no item widget',
  now: LATER,
});

describe('The history of a ledger', () => {
  it('says who moved it where, and when, the oldest first, and why it failed', () => {
    const last = { status: 'FAILING', by: 'inventory', at: LATER };
    expect(transitionsOf(failed)).to.deep.equal([
      { status: 'RECEIVED', by: 'frontend', at: NOW },
      { status: 'CREATED', by: 'order', at: NOW },
      { ...last, reason: 'ITEM_NOT_FOUND', detail: 'There is no item widget' },
    ]);
    expect(lastTransition(failed)).to.deep.equal(last);
  });

  it('tells when the order came to a status, and nothing of one to which it never came', () => {
    expect(transitionTo(failed, 'FAILING')).to.deep.equal({ status: 'FAILING', by: 'inventory', at: LATER });
    expect(transitionTo(failed, 'RESERVED')).to.equal(undefined);
    expect(transitionTo(aLedger({ history: [historyLine('RECEIVED', 'CREATED', NOW)] }), 'CREATED')).to.equal(
      undefined,
    );
  });

  it('tells the service that acted from the person who asked it to, whose name may have several words', () => {
    const line = historyLine('FAILING', 'janitor', LATER, 'ann of the night shift');
    expect(line).to.equal('2026-01-02T03:05:00.000Z FAILING janitor ann of the night shift');
    expect(statusIn(line)).to.equal('FAILING');
    expect(lastTransition({ history: [line] })).to.deep.equal({
      status: 'FAILING',
      by: 'janitor',
      person: 'ann of the night shift',
      at: LATER,
    });
  });
});
