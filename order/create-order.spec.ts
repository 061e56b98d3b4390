import { expect } from 'chai';
import { create, remove } from '../saga/commit/documents.ts';
import { advance, complete, fail, type Ledger } from '../saga/ledger/ledger.ts';
import type { Path } from '../saga/ports/store.ts';
import { changeOf } from '../saga/step/holds.ts';
import { refusedTurn, takeStep } from '../saga/step/take-step.ts';
import { afterwards, aLedger, anOrder, documentsOf, LATER, UUID } from '../test/support/builders.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { createOrder } from './create-order.ts';
import { orderRecords } from './order-records.ts';

const JACK: Readonly<Record<Path, object>> = {
  'users/jack': { address: '1 Main Street', credit: 0, credit_limit: 7 },
};
const RECORD = orderRecords.of('jack', UUID).path;

/** What the step makes of a ledger, and which writes that means. */
const take = (ledger: Ledger = aLedger(), documents = JACK) => {
  const read = documentsOf(documents);
  const turn = takeStep(shopOfThree, createOrder, ledger, read, {}, LATER);
  return { turn, change: changeOf(shopOfThree, ledger, turn.ledger as Ledger, read) };
};
const created = (ledger: Ledger): Ledger =>
  advance(shopOfThree, ledger, { step: 'order', by: 'order', learned: {}, now: LATER });
const canceled = (ledger: Ledger): Ledger => {
  const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: LATER };
  return complete(shopOfThree, fail(shopOfThree, ledger, failure), 'janitor', LATER);
};

describe('The order step', () => {
  it('is the first one, and leads to the creation of the order', () => {
    const { name, leadsTo, announces } = createOrder;
    expect(shopOfThree.stepsAfter('RECEIVED')).to.deep.equal([createOrder]);
    expect({ name, leadsTo, announces }).to.deep.equal({
      name: 'order',
      leadsTo: 'CREATED',
      announces: 'order-created',
    });
  });

  it('looks at the customer only', () => {
    expect(createOrder.reads(anOrder()).map(({ path }) => path)).to.deep.equal(['users/jack']);
  });

  it('gives a known customer the order into their records, and takes nothing', () => {
    expect(take()).to.deep.equal({
      turn: { outcome: 'accepted', from: aLedger(), ledger: created(aLedger()) },
      change: {
        writes: [create(RECORD, { items: [{ item: 'widget', quantity: 2 }], createdAt: LATER })],
      },
    });
  });

  for (const paymentError of ['null', '"null"', 'false']) {
    it(`keeps the wish for the payment to fail (${paymentError}) in the record`, () => {
      expect(take(aLedger({ paymentError })).change).to.deep.equal({
        writes: [create(RECORD, { items: anOrder().items, paymentError, createdAt: LATER })],
      });
    });
  }

  it('writes a record that its own schema accepts', () => {
    const { change } = take(aLedger({ paymentError: 'null' }));
    const done = afterwards(documentsOf(JACK), 'writes' in change ? change.writes : []);
    expect(orderRecords.schema.safeParse(done.get(RECORD))).to.have.property('success', true);
  });

  it('refuses a customer whom nobody knows, and gives them no record', () => {
    const ledger = aLedger({ user: 'jill' });
    const refusal = { by: 'order', reason: 'USER_NOT_FOUND', detail: 'There is no user jill', now: LATER };
    expect(take(ledger)).to.deep.equal({
      turn: refusedTurn(shopOfThree, ledger, refusal),
      change: { writes: [] },
    });
  });

  it('[anomaly 57] refuses a customer who is being erased, and does not name them', () => {
    const ledger = aLedger();
    const erasing = { 'users/jack': { ...JACK['users/jack'], erasedAs: UUID } };
    const refusal = {
      by: 'order',
      reason: 'USER_NOT_FOUND',
      detail: 'The customer is being erased, or was',
      now: LATER,
    };
    expect(take(ledger, erasing)).to.deep.equal({
      turn: refusedTurn(shopOfThree, ledger, refusal),
      change: { writes: [] },
    });
  });

  it('[anomaly 43] makes nothing of a customer that is malformed', () => {
    for (const user of [{}, { address: 7 }, { address: 'x', credit: 1 }, { address: 'x', credit_limit: 1 }]) {
      expect(() => take(aLedger(), { 'users/jack': user })).to.throw('The document users/jack is malformed');
    }
  });

  it('[anomaly 13] takes the record back, and nothing else', () => {
    const { turn, change } = take();
    const documents = afterwards(documentsOf(JACK), 'writes' in change ? change.writes : []);
    expect(documents.get(RECORD)).not.to.equal(undefined);
    const before = turn.ledger as Ledger;
    const undo = changeOf(shopOfThree, before, canceled(before), documents);
    expect(undo).to.deep.equal({ writes: [remove(RECORD)] });
    afterwards(documents, 'writes' in undo ? undo.writes : []);
    expect([RECORD, 'users/jack'].map((path) => documents.get(path))).to.deep.equal([
      undefined,
      JACK['users/jack'],
    ]);
  });

  it('[anomaly 13] gives back nothing of an order that was never created', () => {
    expect(changeOf(shopOfThree, aLedger(), canceled(aLedger()), documentsOf(JACK))).to.deep.equal({
      writes: [],
    });
  });
});
