import { expect } from 'chai';
import fc from 'fast-check';
import type { z } from 'zod';
import { reserveStock } from '../inventory/reserve-stock.ts';
import type { OrderLedger } from '../pipeline.ts';
import { create, remove, update } from '../saga/commit/documents.ts';
import { advance, complete, fail, type Ledger } from '../saga/ledger/ledger.ts';
import type { Path } from '../saga/ports/store.ts';
import { changeOf } from '../saga/step/holds.ts';
import { refusedTurn, takeStep } from '../saga/step/take-step.ts';
import { customers } from '../shop/customers.ts';
import type { PricedLine } from '../shop/lines.ts';
import {
  afterwards,
  aLedgerThatIs,
  anOrder,
  documentsOf,
  LATER,
  SETTINGS,
  stepsBefore,
  UUID,
} from '../test/support/builders.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { deepFreeze } from '../test-kit/deep-freeze.ts';
import { chargeCustomer } from './charge-customer.ts';
import { invoices } from './invoices.ts';

type Documents = Readonly<Record<Path, object>>;
const JACK = customers.of('jack').path;
const INVOICE = invoices.of(UUID).path;
const LIMIT = Number.MAX_SAFE_INTEGER;
const WIDGETS: readonly PricedLine[] = [{ item: 'widget', quantity: 2, price_per_unit: 5 }];

const jackWith = (account: object): Documents => ({ [JACK]: { address: '1 Main Street', ...account } });
const jackOwning = (credit: number): Documents => jackWith({ credit, credit_limit: LIMIT });
const unlimited = jackWith({});
const itemsOf = (lines: readonly PricedLine[]) => lines.map(({ item, quantity }) => ({ item, quantity }));
const reserved = (lines = WIDGETS, fields: Partial<OrderLedger> = {}): OrderLedger =>
  aLedgerThatIs('RESERVED', { items: itemsOf(lines), lines: [...lines], ...fields });

/** What the step makes of a ledger, and what that means for the documents. */
function take(ledger: Ledger = reserved(), documents = jackOwning(10), settings: object = SETTINGS.declared) {
  const read = documentsOf(documents);
  const all = { ...SETTINGS.declared, ...settings };
  const turn = takeStep(shopOfThree, chargeCustomer, ledger, read, all, LATER);
  return { turn, change: changeOf(shopOfThree, ledger, turn.ledger as Ledger, read) };
}
const paid = (ledger: Ledger, charged: number, delivery_cost = 0): Ledger => {
  const learned = { delivery_cost, charged };
  return deepFreeze(advance(shopOfThree, ledger, { step: 'payments', by: 'payments', learned, now: LATER }));
};
const invoice = (total_invoice: number, charged: number, delivery_cost = 0) =>
  create(INVOICE, { user: 'jack', total_invoice, delivery_cost, charged, createdAt: LATER });
const charged = (ledger: Ledger, total: number, creditLeft: number) => ({
  turn: { outcome: 'accepted', from: ledger, ledger: paid(ledger, total) },
  change: {
    writes: [...(total === 0 ? [] : [update(JACK, { credit: creditLeft })]), invoice(total, total)],
  },
});
const invoicedOnly = (ledger: Ledger, total: number) => ({
  turn: { outcome: 'accepted', from: ledger, ledger: paid(ledger, 0) },
  change: { writes: [invoice(total, 0)] },
});
const refused = (ledger: Ledger, reason: string, detail: string) => ({
  turn: refusedTurn(shopOfThree, ledger, { by: 'payments', reason, detail, now: LATER }),
  change: { writes: [] },
});
const canceled = (ledger: Ledger): Ledger => {
  const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: LATER };
  return complete(shopOfThree, fail(shopOfThree, ledger, failure), 'janitor', LATER);
};

/** What of a cancellation concerns the payment: what else the order holds is left out. */
const giveBack = (ledger: Ledger, documents: Documents) => {
  const stocked = { ...documents, 'inventory/widget': { quantity: 0, loaded: 10, price_per_unit: 5 } };
  const change = changeOf(shopOfThree, ledger, canceled(ledger), documentsOf(stocked));
  const ours: readonly Path[] = [JACK, INVOICE];
  return 'writes' in change ? change.writes.filter(({ path }) => ours.includes(path)) : change;
};

describe('The payments step', () => {
  it('runs once the stock was reserved, and leads to the payment', () => {
    const { name, leadsTo, announces } = chargeCustomer;
    expect(stepsBefore(name)).to.include(reserveStock.name);
    expect({ name, leadsTo, announces }).to.deep.equal({
      name: 'payments',
      leadsTo: 'PAID',
      announces: 'payment-created',
    });
  });

  it('looks at the customer only', () => {
    expect(chargeCustomer.reads(anOrder()).map(({ path }) => path)).to.deep.equal([JACK]);
  });

  it('charges a customer whose credit is the total exactly', () => {
    expect(take()).to.deep.equal(charged(reserved(), 10, 0));
  });

  it('refuses a customer whose credit is short by one', () => {
    expect(take(reserved(), jackOwning(9)).change).to.deep.equal({
      shortage: {
        reason: 'INSUFFICIENT_CREDIT',
        detail: 'user jack has credit 9, which is less than 10',
      },
    });
  });

  it('invoices a customer without a limit, and takes nothing from any credit', () => {
    expect(take(reserved(), unlimited)).to.deep.equal(invoicedOnly(reserved(), 10));
  });

  it('refuses a customer who has left since', () => {
    expect(take(reserved(), {})).to.deep.equal(
      refused(reserved(), 'USER_NOT_FOUND', 'There is no user jack'),
    );
  });

  it('charges nothing for what costs nothing', () => {
    const free = reserved([{ item: 'gift', quantity: 1, price_per_unit: 0 }]);
    expect(take(free, jackOwning(0))).to.deep.equal(charged(free, 0, 0));
  });

  it('[anomaly 43] charges the sum of all lines, once', () => {
    const ledger = reserved([
      { item: 'widget', quantity: 3, price_per_unit: 7 },
      { item: 'gadget', quantity: 2, price_per_unit: 100 },
      { item: 'gift', quantity: 1, price_per_unit: 0 },
    ]);
    expect(take(ledger, jackOwning(1000))).to.deep.equal(charged(ledger, 221, 779));
  });

  it('[anomaly 16] charges the price at which the stock was reserved, whatever the stock costs now', () => {
    const documents = {
      ...jackOwning(10),
      'inventory/widget': { quantity: 5, loaded: 5, price_per_unit: 999 },
    };
    expect(take(reserved(), documents)).to.deep.equal(charged(reserved(), 10, 0));
  });

  it('charges the delivery on top of the goods, which the invoice tells apart', () => {
    const settings = { DELIVERY_BASE_COST: 30 };
    expect(take(reserved(), jackOwning(100), settings)).to.deep.equal({
      turn: { outcome: 'accepted', from: reserved(), ledger: paid(reserved(), 40, 30) },
      change: { writes: [update(JACK, { credit: 60 }), invoice(10, 40, 30)] },
    });
  });

  it('[anomaly 16] charges what was reserved, whatever was asked', () => {
    const ledger = reserved(WIDGETS, { items: [{ item: 'widget', quantity: 1000 }] });
    expect(take(ledger)).to.deep.equal(charged(ledger, 10, 0));
  });

  it("[anomaly 43] refuses a total that can't be counted exactly, and takes the largest one that can", () => {
    const costing = (price_per_unit: number, quantity = 1) =>
      reserved([{ item: 'yacht', quantity, price_per_unit }]);
    const largest = Number.MAX_SAFE_INTEGER;
    const tooLarge = (ledger: Ledger) =>
      refused(ledger, 'INVALID_ORDER', 'The total is too large to be counted in whole minor units');
    const most = costing(largest);
    expect(take(most, unlimited)).to.deep.equal(invoicedOnly(most, largest));
    expect(take(most, jackOwning(largest))).to.deep.equal(charged(most, largest, 0));
    const twice = costing(largest, 2);
    expect(take(twice, unlimited)).to.deep.equal(tooLarge(twice));
    const many = costing(largest, 1_000_000_000);
    expect(take(many, jackOwning(0))).to.deep.equal(tooLarge(many));
    const sum = reserved([
      { item: 'yacht', quantity: 1, price_per_unit: largest },
      { item: 'pen', quantity: 1, price_per_unit: 1 },
    ]);
    expect(take(sum, unlimited)).to.deep.equal(tooLarge(sum));
  });

  for (const paymentError of ['null', '"null"', 'false', '0', '""', 'true', '{"because":1}']) {
    it(`refuses the payment of an order that asks for it with ${paymentError}`, () => {
      const ledger = reserved(WIDGETS, { paymentError });
      expect(take(ledger)).to.deep.equal(
        refused(ledger, 'PAYMENT_ERROR', 'The order asked for its payment to fail (payment-error)'),
      );
    });
  }

  for (const credit of ['10', -1, 1.5, null, {}]) {
    it(`[anomaly 43] makes nothing of a credit that is malformed: ${JSON.stringify(credit)}`, () => {
      const message = 'The document users/jack is malformed';
      const documents = jackWith({ credit, credit_limit: LIMIT });
      expect(() => take(reserved(), documents)).to.throw(message);
      expect(() => giveBack(paid(reserved(), 10), documents)).to.throw(message);
    });
  }

  it('[anomaly 43] makes nothing of a credit without a limit, nor of a limit without a credit', () => {
    for (const account of [{ credit: 10 }, { credit_limit: 10 }]) {
      expect(() => take(reserved(), jackWith(account))).to.throw(
        'has credit or credit_limit without the other: it needs both, or none for no limit',
      );
    }
  });

  it('writes an invoice that its own schema accepts', () => {
    for (const documents of [jackOwning(10), unlimited]) {
      const { change } = take(reserved(), documents);
      const done = afterwards(documentsOf(documents), 'writes' in change ? change.writes : []);
      expect(invoices.schema.safeParse(done.get(INVOICE))).to.have.property('success', true);
    }
  });
});

describe('Payments that are made to fail', () => {
  const outcome = (probability: number, every: number, uuid: string) => {
    const settings = { PAYMENT_FAIL_PROBABILITY: probability, PAYMENT_FAIL_EVERY: every };
    const { turn } = take(reserved(WIDGETS, { uuid }), unlimited, settings);
    return turn.detail ?? turn.outcome;
  };
  const uuidEndingIn = (end: number) => `11111111-1111-4111-8111-1111${end.toString(16).padStart(8, '0')}`;
  const BY_CHANCE = 'PAYMENT_ERROR: The payment was refused (PAYMENT_FAIL_PROBABILITY)';
  const IN_TURN = 'PAYMENT_ERROR: The payment was refused (PAYMENT_FAIL_EVERY)';

  it('are none by default', () => {
    const { PAYMENT_FAIL_PROBABILITY: probability, PAYMENT_FAIL_EVERY: every } = chargeCustomer.settings;
    expect([probability, every].map((setting) => (setting as z.ZodType).parse(undefined))).to.deep.equal([
      0, 0,
    ]);
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

describe('A payment that is given back', () => {
  it('[anomaly 17] returns what was taken, on top of what others did meanwhile', () => {
    expect(giveBack(paid(reserved(), 10), jackOwning(500))).to.deep.equal([
      update(JACK, { credit: 510 }),
      remove(INVOICE),
    ]);
  });

  it('[anomaly 13] returns nothing where nothing was taken, even if there is a limit now', () => {
    const ledger = paid(reserved(), 0);
    expect(giveBack(ledger, jackOwning(500))).to.deep.equal([remove(INVOICE)]);
    expect(giveBack(ledger, {})).to.deep.equal([remove(INVOICE)]);
  });

  it('invents no credit for a customer whose limit was lifted since', () => {
    expect(giveBack(paid(reserved(), 10), unlimited)).to.deep.equal([remove(INVOICE)]);
  });

  it('[anomaly 12] has nowhere to go where the customer is gone, and says so', () => {
    expect(() => giveBack(paid(reserved(), 10), {})).to.throw(
      "10 can't be given back: there is no user jack any more",
    );
  });

  const anyPayment = fc.record({
    quantity: fc.integer({ min: 1, max: 1_000_000 }),
    price_per_unit: fc.nat(1_000_000),
    more: fc.option(fc.nat(1_000_000_000), { nil: undefined }),
    meanwhile: fc.nat(1_000_000_000),
  });

  it('[anomaly 13] leaves every document as it was before, with what others changed meanwhile', () => {
    fc.assert(
      fc.property(anyPayment, ({ quantity, price_per_unit, more, meanwhile }) => {
        const total = quantity * price_per_unit;
        const ledger = reserved([{ item: 'widget', quantity, price_per_unit }]);
        const before = more === undefined ? unlimited : jackOwning(total + more);
        const { turn, change } = take(ledger, before);
        if ('shortage' in change) throw new Error(change.shortage.detail);
        const holding = turn.ledger as Ledger;

        /** Jack and his invoice once the payment was done and, where others pay in so much, undone. */
        const play = (credit: number | undefined) => {
          const documents = afterwards(documentsOf(before), change.writes);
          const widget = { quantity: 0, loaded: quantity, price_per_unit };
          afterwards(documents, [create('inventory/widget', widget)]);
          expect(documents.get(JACK)?.credit).to.equal(more);
          if (credit !== undefined) afterwards(documents, [update(JACK, { credit })]);
          const undo = changeOf(shopOfThree, holding, canceled(holding), documents);
          afterwards(documents, 'writes' in undo ? undo.writes : []);
          return [documents.get(JACK), documents.get(INVOICE)];
        };
        expect(play(undefined)).to.deep.equal([before[JACK], undefined]);
        if (more === undefined) return;
        expect(play(meanwhile)).to.deep.equal([{ ...before[JACK], credit: meanwhile + total }, undefined]);
      }),
    );
  });
});
