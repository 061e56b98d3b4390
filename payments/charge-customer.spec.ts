import { expect } from 'chai';
import fc from 'fast-check';
import { create, remove, update } from '../saga/commit/documents.ts';
import { advance, type Saga } from '../saga/ledger/ledger.ts';
import type { StepDecision } from '../saga/step/step.ts';
import type { Line } from '../shop/order.ts';
import { afterwards, anOrder, aSagaThatIs, documentsOf, LATER, UUID } from '../test/support/builders.ts';
import { deepFreeze } from '../test/support/deep-freeze.ts';
import { chargeCustomer } from './charge-customer.ts';
import { accountPath, invoicePath } from './documents.ts';

const step = chargeCustomer();
const jackWith = (account: object) => documentsOf({ 'users/jack': { address: '1 Main Street', ...account } });
const reserved = (items: readonly Line[] = [{ item: 'widget', quantity: 2, price_per_unit: 5 }]): Saga =>
  aSagaThatIs('RESERVED', { items });
const decide = (saga: Saga, account: object = { credit: 10 }) => step.decide(saga, jackWith(account), LATER);
const refusal = (reason: string, detail: string) => ({ kind: 'refused', reason, detail });
const invoice = (total_invoice: number, charged?: number) =>
  create(invoicePath(UUID), {
    user: 'jack',
    total_invoice,
    ...(charged !== undefined && { charged }),
    createdAt: LATER,
  });
const charged = (total: number, creditLeft: number) => ({
  kind: 'accepted',
  writes: [update(accountPath('jack'), { credit: creditLeft }), invoice(total, total)],
  facts: { total_invoice: total, charged: total },
});
const invoicedOnly = (total: number) => ({
  kind: 'accepted',
  writes: [invoice(total)],
  facts: { total_invoice: total },
});

describe('The payments step', () => {
  it('runs where the stock was reserved, and leads to the payment', () => {
    const { name, from, to } = step;
    expect({ name, from, to }).to.deep.equal({ name: 'payments', from: 'RESERVED', to: 'PAID' });
  });

  it('looks at the customer only', () => {
    expect(step.reads(anOrder())).to.deep.equal(['users/jack']);
  });

  it('charges a customer whose credit is the total exactly', () => {
    expect(decide(reserved(), { credit: 10 })).to.deep.equal(charged(10, 0));
  });

  it('refuses a customer whose credit is short by one', () => {
    expect(decide(reserved(), { credit: 9 })).to.deep.equal(
      refusal('INSUFFICIENT_CREDIT', 'The total is 10, the credit of jack 9'),
    );
  });

  it('invoices a customer without a limit, and takes nothing from any credit', () => {
    expect(decide(reserved(), {})).to.deep.equal(invoicedOnly(10));
  });

  it('refuses a customer who has left since', () => {
    expect(step.decide(reserved(), documentsOf({}), LATER)).to.deep.equal(
      refusal('USER_NOT_FOUND', 'There is no user jack any more'),
    );
  });

  it('charges nothing for what costs nothing', () => {
    const free = reserved([{ item: 'gift', quantity: 1, price_per_unit: 0 }]);
    expect(decide(free, { credit: 0 })).to.deep.equal(charged(0, 0));
  });

  it('[anomaly 43] charges the sum of all lines, once', () => {
    const saga = reserved([
      { item: 'widget', quantity: 3, price_per_unit: 7 },
      { item: 'gadget', quantity: 2, price_per_unit: 100 },
      { item: 'gift', quantity: 1, price_per_unit: 0 },
    ]);
    expect(decide(saga, { credit: 1000 })).to.deep.equal(charged(221, 779));
  });

  it('[anomaly 16] charges the price at which the stock was reserved, whatever the stock costs now', () => {
    const documents = documentsOf({
      'users/jack': { address: '1 Main Street', credit: 10 },
      'inventory/widget': { quantity: 5, price_per_unit: 999 },
    });
    expect(step.decide(reserved(), documents, LATER)).to.deep.equal(charged(10, 0));
  });

  it('[anomaly 16] guesses no price where nothing was reserved', () => {
    expect(() => decide(aSagaThatIs('CREATED'))).to.throw('The line of widget has no price yet');
  });

  it("[anomaly 43] refuses a total that can't be counted exactly, and takes the largest one that can", () => {
    const costing = (price_per_unit: number, quantity = 1) =>
      reserved([{ item: 'yacht', quantity, price_per_unit }]);
    const largest = Number.MAX_SAFE_INTEGER;
    const tooLarge = refusal('INVALID_ORDER', 'The total is too large to be counted in whole minor units');
    expect(decide(costing(largest), {})).to.deep.equal(invoicedOnly(largest));
    expect(decide(costing(largest, 2), {})).to.deep.equal(tooLarge);
    expect(decide(costing(largest, 1_000_000_000), { credit: 0 })).to.deep.equal(tooLarge);
    const sum = [
      { item: 'yacht', quantity: 1, price_per_unit: largest },
      { item: 'pen', quantity: 1, price_per_unit: 1 },
    ];
    expect(decide(reserved(sum), {})).to.deep.equal(tooLarge);
  });

  for (const paymentError of ['null', '"null"', 'false', '0', '""', 'true', '{"because":1}']) {
    it(`refuses the payment of an order that asks for it with ${paymentError}`, () => {
      expect(decide(deepFreeze({ ...reserved(), paymentError }))).to.deep.equal(
        refusal('PAYMENT_ERROR', 'The order asked for its payment to fail (payment-error)'),
      );
    });
  }

  for (const credit of ['10', -1, 1.5, null, {}]) {
    it(`[anomaly 43] makes nothing of a credit that is malformed: ${JSON.stringify(credit)}`, () => {
      const message = 'The document users/jack is malformed';
      expect(() => decide(reserved(), { credit })).to.throw(message);
      expect(() => step.undo(aSagaThatIs('PAID', { charged: 10 }), jackWith({ credit }))).to.throw(message);
    });
  }
});

describe('Payments that are made to fail', () => {
  const outcome = (failProbability: number, failEvery: number, uuid: string) => {
    const decision = chargeCustomer({ failProbability, failEvery }).decide(
      aSagaThatIs('RESERVED', { uuid }),
      jackWith({}),
      LATER,
    );
    return decision.kind === 'refused' ? `${decision.reason}: ${decision.detail}` : decision.kind;
  };
  const uuidEndingIn = (end: number) => `11111111-1111-4111-8111-1111${end.toString(16).padStart(8, '0')}`;
  const BY_CHANCE = 'PAYMENT_ERROR: The payment was refused (PAYMENT_FAIL_PROBABILITY)';
  const IN_TURN = 'PAYMENT_ERROR: The payment was refused (PAYMENT_FAIL_EVERY)';

  it('are none by default', () => {
    expect(outcome(0, 0, uuidEndingIn(0))).to.equal('accepted');
  });

  it('are the share that was asked for, chosen by the uuid', () => {
    expect(outcome(0.5, 0, uuidEndingIn(0x7fffffff))).to.equal(BY_CHANCE);
    expect(outcome(0.5, 0, uuidEndingIn(0x80000000))).to.equal('accepted');
    expect(outcome(1, 0, uuidEndingIn(0xffffffff))).to.equal(BY_CHANCE);
  });

  it('are one in so many, chosen by the uuid', () => {
    const outcomes = [1, 2, 3, 4, 5, 6].map((end) => outcome(0, 3, uuidEndingIn(end)));
    expect(outcomes).to.deep.equal(['accepted', 'accepted', IN_TURN, 'accepted', 'accepted', IN_TURN]);
    expect(outcome(0, 1, uuidEndingIn(7))).to.equal(IN_TURN);
  });
});

describe('A payment that is taken back', () => {
  const paid = (facts: Partial<Saga>) => aSagaThatIs('PAID', facts);

  it('[anomaly 17] returns what was taken, on top of what others did meanwhile', () => {
    expect(step.undo(paid({ charged: 10 }), jackWith({ credit: 500 }))).to.deep.equal([
      update(accountPath('jack'), { credit: 510 }),
      remove(invoicePath(UUID)),
    ]);
  });

  it('[anomaly 13] returns nothing where nothing was taken, even if there is a limit now', () => {
    expect(step.undo(paid({}), jackWith({ credit: 500 }))).to.deep.equal([remove(invoicePath(UUID))]);
    expect(step.undo(paid({}), documentsOf({}))).to.deep.equal([remove(invoicePath(UUID))]);
  });

  it('invents no credit for a customer whose limit was lifted since', () => {
    expect(step.undo(paid({ charged: 10 }), jackWith({}))).to.deep.equal([remove(invoicePath(UUID))]);
  });

  it('[anomaly 12] has nowhere to go where the customer is gone, and says so', () => {
    expect(() => step.undo(paid({ charged: 10 }), documentsOf({}))).to.throw(
      "10 can't be given back: there is no user jack any more",
    );
  });

  const anyPayment = fc.record({
    quantity: fc.integer({ min: 1, max: 1_000_000 }),
    price_per_unit: fc.nat(1_000_000),
    more: fc.option(fc.nat(1_000_000_000), { nil: undefined }),
    meanwhile: fc.nat(1_000_000_000),
  });

  it('[anomaly 13] leaves every document as it was before', () => {
    fc.assert(
      fc.property(anyPayment, ({ quantity, price_per_unit, more, meanwhile }) => {
        const saga = reserved([{ item: 'widget', quantity, price_per_unit }]);
        const before = jackWith(more === undefined ? {} : { credit: quantity * price_per_unit + more });
        const decision: StepDecision = step.decide(saga, before, LATER);
        if (decision.kind === 'refused') throw new Error(decision.detail);
        const done = afterwards(before, decision.writes);
        expect(done.get(accountPath('jack'))?.credit).to.equal(more);
        const ledger = deepFreeze(advance(saga, 'payments', 'PAID', decision.facts, LATER));
        const undone = afterwards(done, step.undo(ledger, done));
        expect(undone.get(accountPath('jack'))).to.deep.equal(before.get(accountPath('jack')));
        expect(undone.get(invoicePath(UUID))).to.equal(undefined);

        if (more === undefined) return;
        const changed = afterwards(done, [update(accountPath('jack'), { credit: meanwhile })]);
        const undoneLater = afterwards(changed, step.undo(ledger, changed));
        expect(undoneLater.get(accountPath('jack'))?.credit).to.equal(meanwhile + quantity * price_per_unit);
      }),
    );
  });
});
