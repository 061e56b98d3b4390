import { expect } from 'chai';
import { z } from 'zod';
import { account } from '../saga/step/document.ts';
import { defineSaga, type OrderKind } from '../saga/step/saga.ts';
import { accept, type Step, stepsFor } from '../saga/step/step.ts';
import { outcomeOf } from './step-outcome.ts';

interface Order {
  readonly owner: string;
}
const order: OrderKind<Order> = {
  schema: z.object({ owner: z.string() }),
  listedBy: ['owner'],
  parse: () => ({ faults: [] }),
  shows: () => ({}),
};
const purses = account({
  name: 'purse',
  path: 'purses/{owner}',
  balance: 'coins',
  whole: 'limit',
  fields: {},
  shortage: 'TOO_POOR',
});
const pay = (name: string, leadsTo: string, fields: Partial<Pick<Step, 'reads' | 'holds'>> = {}): Step =>
  stepsFor<Order>()({
    name,
    leadsTo,
    announces: `${name}-done`,
    says: 'the owner has paid',
    uses: [purses],
    reads: ({ owner }) => [purses.of(owner)],
    decide: () => accept({}),
    holds: ({ owner }) => [purses.of(owner).amount(1)],
    ...fields,
  });
const sagaOf = (...steps: readonly Step[]) =>
  defineSaga({
    name: 'purchase',
    order,
    entry: { topic: 'orders', says: 'an order came' },
    // The compiler checks only lists whose members it knows one by one.
    steps: steps as readonly [],
    failure: { topic: 'failed', says: 'the order fails' },
    end: { topic: 'given-up', says: 'the order is canceled' },
    reasons: ['NO'],
    unknownReason: 'NO',
    services: [],
    subscriptions: {},
  });
const given = { order: { owner: 'ann' }, documents: { 'purses/ann': { coins: 5, limit: 5 } } };
const UNREAD = 'purses/ann was not read: it is missing in what tip reads';

describe('What comes of a step', () => {
  it('is what it learned and what has changed', () => {
    expect(outcomeOf(sagaOf(pay('tip', 'TIPPED')), 'tip', given)).to.deep.equal({
      accepted: {},
      changes: { 'purses/ann': { coins: 4, limit: 5 } },
    });
  });

  it('is an error where it takes from an account that it does not read', () => {
    const saga = sagaOf(pay('tip', 'TIPPED', { reads: () => [] }));
    expect(() => outcomeOf(saga, 'tip', given)).to.throw(UNREAD);
  });

  it('is an error also where a step before has read that account, or nothing is taken this time', () => {
    const unread = pay('tip', 'TIPPED', { reads: () => [] });
    expect(() => outcomeOf(sagaOf(pay('bill', 'BILLED'), unread), 'tip', given)).to.throw(UNREAD);
    const holds = () => [purses.of('ann').amount(0)];
    const saga = sagaOf(pay('tip', 'TIPPED', { reads: () => [], holds }));
    expect(() => outcomeOf(saga, 'tip', given)).to.throw(UNREAD);
  });
});
