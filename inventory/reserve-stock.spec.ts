import { expect } from 'chai';
import fc from 'fast-check';
import { create, remove, update } from '../saga/commit/documents.ts';
import { advance, type Saga } from '../saga/ledger/ledger.ts';
import type { StepDecision } from '../saga/step/step.ts';
import type { Line } from '../shop/order.ts';
import { afterwards, anOrder, aSagaThatIs, documentsOf, LATER, UUID } from '../test/support/builders.ts';
import { deepFreeze } from '../test/support/deep-freeze.ts';
import { type Item, itemPath, reservationPath } from './documents.ts';
import { reserveStock } from './reserve-stock.ts';

const stockOf = (stock: Readonly<Record<string, readonly [quantity: number, price: number]>>) =>
  documentsOf(
    Object.fromEntries(
      Object.entries(stock).map(([item, [quantity, price_per_unit]]) => [
        itemPath(item),
        { quantity, price_per_unit },
      ]),
    ),
  );
const orderOf = (...items: Line[]): Saga => aSagaThatIs('CREATED', { items });
const decide = (saga: Saga, documents = stockOf({ widget: [2, 5] })) =>
  reserveStock.decide(saga, documents, LATER);
const refusal = (reason: string, detail: string) => ({ kind: 'refused', reason, detail });
const reservation = (item: string, quantity: number, price_per_unit: number) =>
  create(reservationPath(item, UUID), { quantity, price_per_unit });

/** What the ledger knows once the step is done. */
const reservedLedger = (saga: Saga, decision: StepDecision): Saga =>
  deepFreeze(
    advance(saga, 'inventory', 'RESERVED', decision.kind === 'accepted' ? decision.facts : {}, LATER),
  );
const writesOf = (decision: StepDecision) => (decision.kind === 'accepted' ? decision.writes : []);

describe('The inventory step', () => {
  it('runs where an order was created, and leads to its reservation', () => {
    const { name, from, to } = reserveStock;
    expect({ name, from, to }).to.deep.equal({ name: 'inventory', from: 'CREATED', to: 'RESERVED' });
  });

  it('looks at every item of the order', () => {
    const items = [
      { item: 'widget', quantity: 2 },
      { item: 'gadget', quantity: 1 },
    ];
    expect(reserveStock.reads(anOrder({ items }))).to.deep.equal(['inventory/widget', 'inventory/gadget']);
  });

  it('[anomaly 15] sells the last units', () => {
    expect(decide(orderOf({ item: 'widget', quantity: 2 }))).to.deep.equal({
      kind: 'accepted',
      writes: [update(itemPath('widget'), { quantity: 0 }), reservation('widget', 2, 5)],
      facts: { items: [{ item: 'widget', quantity: 2, price_per_unit: 5 }] },
    });
  });

  it('[anomaly 15] refuses where one unit is short', () => {
    expect(decide(orderOf({ item: 'widget', quantity: 3 }))).to.deep.equal(
      refusal('INSUFFICIENT_INVENTORY', 'Of widget, 2 are left, not 3'),
    );
    expect(decide(orderOf({ item: 'widget', quantity: 1 }), stockOf({ widget: [0, 5] }))).to.deep.equal(
      refusal('INSUFFICIENT_INVENTORY', 'Of widget, 0 are left, not 1'),
    );
  });

  it('refuses an item that nobody knows', () => {
    expect(decide(orderOf({ item: 'gizmo', quantity: 1 }))).to.deep.equal(
      refusal('ITEM_NOT_FOUND', 'There is no item gizmo'),
    );
  });

  it('[anomaly 16] reserves every line at the price of the moment, even for nothing', () => {
    const saga = orderOf({ item: 'widget', quantity: 2 }, { item: 'gift', quantity: 1 });
    expect(decide(saga, stockOf({ widget: [10, 7], gift: [3, 0] }))).to.deep.equal({
      kind: 'accepted',
      writes: [
        update(itemPath('widget'), { quantity: 8 }),
        reservation('widget', 2, 7),
        update(itemPath('gift'), { quantity: 2 }),
        reservation('gift', 1, 0),
      ],
      facts: {
        items: [
          { item: 'widget', quantity: 2, price_per_unit: 7 },
          { item: 'gift', quantity: 1, price_per_unit: 0 },
        ],
      },
    });
  });

  it('[anomaly 16] takes no price from anywhere but the stock', () => {
    const decision = decide(orderOf({ item: 'widget', quantity: 2, price_per_unit: 1 }));
    expect(decision).to.have.deep.property('facts', {
      items: [{ item: 'widget', quantity: 2, price_per_unit: 5 }],
    });
  });

  for (const [what, last, refused] of [
    ['short', { item: 'rare', quantity: 2 }, refusal('INSUFFICIENT_INVENTORY', 'Of rare, 1 are left, not 2')],
    ['unknown', { item: 'gizmo', quantity: 1 }, refusal('ITEM_NOT_FOUND', 'There is no item gizmo')],
  ] as const) {
    it(`[anomaly 13] reserves no line at all where the last one is ${what}`, () => {
      const saga = orderOf({ item: 'widget', quantity: 1 }, { item: 'gadget', quantity: 1 }, last);
      const documents = stockOf({ widget: [5, 5], gadget: [5, 5], rare: [1, 5] });
      expect(decide(saga, documents)).to.deep.equal(refused);
    });
  }

  const malformed: readonly object[] = [
    { quantity: '10', price_per_unit: 5 },
    { quantity: -1, price_per_unit: 5 },
    { quantity: 1.5, price_per_unit: 5 },
    { quantity: 10 },
    { quantity: 10, price_per_unit: 4.99 },
    { quantity: 10, price_per_unit: -5 },
    {},
  ];
  for (const fields of malformed) {
    it(`[anomaly 43] makes nothing of stock that is malformed: ${JSON.stringify(fields)}`, () => {
      const documents = documentsOf({ 'inventory/widget': fields });
      const message = 'The document inventory/widget is malformed';
      expect(() => decide(orderOf({ item: 'widget', quantity: 1 }), documents)).to.throw(message);
      expect(() => reserveStock.undo(aSagaThatIs('FAILING'), documents)).to.throw(message);
    });
  }

  it('[anomaly 17] puts back what the order took, on top of what others did meanwhile', () => {
    const saga = aSagaThatIs('FAILING', {
      items: [
        { item: 'widget', quantity: 2 },
        { item: 'gadget', quantity: 1 },
      ],
    });
    expect(reserveStock.undo(saga, stockOf({ widget: [40, 9], gadget: [0, 9] }))).to.deep.equal([
      update(itemPath('widget'), { quantity: 42 }),
      remove(reservationPath('widget', UUID)),
      update(itemPath('gadget'), { quantity: 1 }),
      remove(reservationPath('gadget', UUID)),
    ]);
  });

  it("[anomaly 12] can't put back what there is no place for, and says so", () => {
    expect(() => reserveStock.undo(aSagaThatIs('FAILING'), documentsOf({}))).to.throw(
      "2 of widget can't be put back: there is no such item any more",
    );
  });

  const anyOrder = fc
    .uniqueArray(
      fc.record({
        item: fc.stringMatching(/^[a-z]{1,8}$/),
        quantity: fc.integer({ min: 1, max: 1_000_000_000 }),
        left: fc.integer({ min: 0, max: 1_000_000_000 }),
        price: fc.nat(1_000_000),
        meanwhile: fc.integer({ min: 0, max: 1_000_000_000 }),
      }),
      { minLength: 1, maxLength: 5, selector: ({ item }) => item },
    )
    .map((lines) => ({
      lines,
      saga: orderOf(...lines.map(({ item, quantity }) => ({ item, quantity }))),
      before: stockOf(
        Object.fromEntries(
          lines.map(({ item, quantity, left, price }) => [item, [left + quantity, price] as const]),
        ),
      ),
    }));

  it('[anomaly 13] is undone exactly: every document is again what it was', () => {
    fc.assert(
      fc.property(anyOrder, ({ lines, saga, before }) => {
        const decision = decide(saga, before);
        const done = afterwards(before, writesOf(decision));
        for (const { item, left } of lines) expect(done.get(itemPath(item))?.quantity).to.equal(left);
        const undone = afterwards(done, reserveStock.undo(reservedLedger(saga, decision), done));
        for (const { item } of lines) {
          expect(undone.get(itemPath(item))).to.deep.equal(before.get(itemPath(item)));
          expect(undone.get(reservationPath(item, UUID))).to.equal(undefined);
        }
      }),
    );
  });

  it('[anomaly 17] is undone as a difference: what others changed meanwhile stays', () => {
    fc.assert(
      fc.property(anyOrder, ({ lines, saga, before }) => {
        const decision = decide(saga, before);
        const done = afterwards(before, writesOf(decision));
        const others = lines.map(({ item, meanwhile }) =>
          update<Item>(itemPath(item), { quantity: meanwhile, price_per_unit: 77 }),
        );
        const changed = afterwards(done, others);
        const undone = afterwards(changed, reserveStock.undo(reservedLedger(saga, decision), changed));
        for (const { item, quantity, meanwhile } of lines) {
          expect(undone.get(itemPath(item))).to.deep.equal({
            quantity: meanwhile + quantity,
            price_per_unit: 77,
          });
        }
      }),
    );
  });
});
