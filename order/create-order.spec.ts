import { expect } from 'chai';
import { create, remove } from '../saga/commit/documents.ts';
import { afterwards, anOrder, aSaga, documentsOf, LATER, UUID } from '../test/support/builders.ts';
import { createOrder } from './create-order.ts';
import { orderRecordPath } from './documents.ts';

const JACK = { 'users/jack': { address: '1 Main Street', credit: 0 } };
const RECORD = `users/jack/orders/${UUID}`;

describe('The order step', () => {
  it('runs where an order was received, and leads to its creation', () => {
    const { name, from, to } = createOrder;
    expect({ name, from, to }).to.deep.equal({ name: 'order', from: 'RECEIVED', to: 'CREATED' });
  });

  it('looks at the customer only', () => {
    expect(createOrder.reads(anOrder())).to.deep.equal(['users/jack']);
  });

  it('gives a known customer the order into their records', () => {
    expect(createOrder.decide(aSaga(), documentsOf(JACK), LATER)).to.deep.equal({
      kind: 'accepted',
      writes: [
        create(orderRecordPath('jack', UUID), {
          items: [{ item: 'widget', quantity: 2 }],
          createdAt: LATER,
        }),
      ],
      facts: {},
    });
  });

  for (const paymentError of ['null', '"null"', 'false']) {
    it(`keeps the wish for the payment to fail (${paymentError}) in the record`, () => {
      expect(createOrder.decide(aSaga({ paymentError }), documentsOf(JACK), LATER)).to.deep.equal({
        kind: 'accepted',
        writes: [
          create(orderRecordPath('jack', UUID), { items: anOrder().items, paymentError, createdAt: LATER }),
        ],
        facts: {},
      });
    });
  }

  it('refuses a customer whom nobody knows', () => {
    expect(createOrder.decide(aSaga({ user: 'jill' }), documentsOf(JACK), LATER)).to.deep.equal({
      kind: 'refused',
      reason: 'USER_NOT_FOUND',
      detail: 'There is no user jill',
    });
  });

  it('[anomaly 13] takes the record back, and nothing else', () => {
    const before = documentsOf(JACK);
    const decision = createOrder.decide(aSaga(), before, LATER);
    const done = afterwards(before, decision.kind === 'accepted' ? decision.writes : []);
    const undo = createOrder.undo(aSaga(), done);
    expect(undo).to.deep.equal([remove(RECORD)]);
    const undone = afterwards(done, undo);
    expect([RECORD, 'users/jack'].map((path) => undone.get(path))).to.deep.equal([
      undefined,
      JACK['users/jack'],
    ]);
  });
});
