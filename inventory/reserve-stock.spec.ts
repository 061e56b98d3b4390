import { expect } from 'chai';
import fc from 'fast-check';
import { createOrder } from '../order/create-order.ts';
import type { OrderLedger } from '../pipeline.ts';
import { create, remove, update } from '../saga/commit/documents.ts';
import { advance, complete, fail, type Ledger } from '../saga/ledger/ledger.ts';
import type { Path } from '../saga/ports/store.ts';
import { type Change, changeOf } from '../saga/step/holds.ts';
import { refusedTurn, takeStep } from '../saga/step/take-step.ts';
import type { Turn } from '../saga/step/turn.ts';
import type { Line } from '../shop/order.ts';
import { stock } from '../shop/stock.ts';
import {
  afterwards,
  aLedgerThatIs,
  anOrder,
  documentsOf,
  LATER,
  stepsBefore,
  UUID,
} from '../test/support/builders.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { deepFreeze } from '../test-kit/deep-freeze.ts';
import { reservations } from './reservations.ts';
import { reserveStock } from './reserve-stock.ts';

type Documents = Readonly<Record<Path, object>>;
const stockOf = (items: Readonly<Record<string, readonly [quantity: number, price: number]>>): Documents =>
  Object.fromEntries(
    Object.entries(items).map(([item, [quantity, price_per_unit]]) => [
      stock.of(item).path,
      { quantity, loaded: 2_000_000_000, price_per_unit },
    ]),
  );
const orderOf = (...items: Line[]): OrderLedger => aLedgerThatIs('CREATED', { items });
const learn = (ledger: Ledger, lines: OrderLedger['lines']): Ledger =>
  deepFreeze(
    advance(shopOfThree, ledger, { step: 'inventory', by: 'inventory', learned: { lines }, now: LATER }),
  );
const canceled = (ledger: Ledger): Ledger => {
  const failure = { by: 'payments', reason: 'PAYMENT_ERROR', detail: 'No', now: LATER };
  return complete(shopOfThree, fail(shopOfThree, ledger, failure), 'janitor', LATER);
};

/** What the step makes of a ledger, and what that means for the documents. */
function take(ledger: Ledger, documents: Documents = stockOf({ widget: [2, 5] })) {
  const read = documentsOf(documents);
  const turn = takeStep(shopOfThree, reserveStock, ledger, read, {}, LATER);
  return { turn, change: changeOf(shopOfThree, ledger, turn.ledger as Ledger, read) };
}
const reserved = (ledger: Ledger, lines: OrderLedger['lines'], writes: object[]) => ({
  turn: { outcome: 'accepted', from: ledger, ledger: learn(ledger, lines) },
  change: { writes },
});
const refused = (ledger: Ledger, reason: string, detail: string): { turn: Turn; change: Change } => ({
  turn: refusedTurn(shopOfThree, ledger, { by: 'inventory', reason, detail, now: LATER }),
  change: { writes: [] },
});
const shortage = (item: string, left: number, wanted: number) => ({
  shortage: {
    reason: 'INSUFFICIENT_INVENTORY',
    detail: `item ${item} has quantity ${left}, which is less than ${wanted}`,
  },
});
const left = (item: string, quantity: number) => update(stock.of(item).path, { quantity });
const reservation = (item: string, quantity: number, price_per_unit: number) =>
  create(reservations.of(item, UUID).path, { quantity, price_per_unit });
const unreserve = (item: string) => remove(reservations.of(item, UUID).path);

describe('The inventory step', () => {
  it('runs once an order was created, and leads to its reservation', () => {
    const { name, leadsTo, announces } = reserveStock;
    expect(stepsBefore(name)).to.include(createOrder.name);
    expect({ name, leadsTo, announces }).to.deep.equal({
      name: 'inventory',
      leadsTo: 'RESERVED',
      announces: 'inventory-updated',
    });
  });

  it('refuses for what its stock says, and for nothing else', () => {
    expect(reserveStock.reasons).to.deep.equal(['ITEM_NOT_FOUND', 'INSUFFICIENT_INVENTORY']);
  });

  it('looks at every item of the order', () => {
    const items = [
      { item: 'widget', quantity: 2 },
      { item: 'gadget', quantity: 1 },
    ];
    expect(reserveStock.reads(anOrder({ items })).map(({ path }) => path)).to.deep.equal([
      'inventory/widget',
      'inventory/gadget',
    ]);
  });

  it('[anomaly 15] sells the last units', () => {
    const ledger = orderOf({ item: 'widget', quantity: 2 });
    expect(take(ledger)).to.deep.equal(
      reserved(
        ledger,
        [{ item: 'widget', quantity: 2, price_per_unit: 5 }],
        [left('widget', 0), reservation('widget', 2, 5)],
      ),
    );
  });

  it('[anomaly 15] refuses where one unit is short', () => {
    expect(take(orderOf({ item: 'widget', quantity: 3 })).change).to.deep.equal(shortage('widget', 2, 3));
    expect(take(orderOf({ item: 'widget', quantity: 1 }), stockOf({ widget: [0, 5] })).change).to.deep.equal(
      shortage('widget', 0, 1),
    );
  });

  it('refuses an item that nobody knows', () => {
    const ledger = orderOf({ item: 'gizmo', quantity: 1 });
    expect(take(ledger)).to.deep.equal(refused(ledger, 'ITEM_NOT_FOUND', 'There is no item gizmo'));
  });

  it('[anomaly 16] reserves every line at the price of the moment, even for nothing', () => {
    const ledger = orderOf({ item: 'widget', quantity: 2 }, { item: 'gift', quantity: 1 });
    expect(take(ledger, stockOf({ widget: [10, 7], gift: [3, 0] }))).to.deep.equal(
      reserved(
        ledger,
        [
          { item: 'widget', quantity: 2, price_per_unit: 7 },
          { item: 'gift', quantity: 1, price_per_unit: 0 },
        ],
        [left('widget', 8), left('gift', 2), reservation('widget', 2, 7), reservation('gift', 1, 0)],
      ),
    );
  });

  it('keeps what was asked as it was: prices stand beside it', () => {
    const ledger = orderOf({ item: 'widget', quantity: 2 });
    expect(take(ledger).turn.ledger).to.deep.include({ items: ledger.items });
  });

  it('[anomaly 16] takes no price from anywhere but the stock', () => {
    const line = { item: 'widget', quantity: 2, price_per_unit: 1 };
    expect(take(orderOf(line)).turn.ledger).to.have.deep.property('lines', [
      { item: 'widget', quantity: 2, price_per_unit: 5 },
    ]);
  });

  it('[anomaly 13] reserves no line at all where the last one is short', () => {
    const ledger = orderOf(
      { item: 'widget', quantity: 1 },
      { item: 'gadget', quantity: 1 },
      { item: 'rare', quantity: 2 },
    );
    const documents = stockOf({ widget: [5, 5], gadget: [5, 5], rare: [1, 5] });
    expect(take(ledger, documents).change).to.deep.equal(shortage('rare', 1, 2));
  });

  it('[anomaly 13] reserves no line at all where the last one is unknown', () => {
    const ledger = orderOf(
      { item: 'widget', quantity: 1 },
      { item: 'gadget', quantity: 1 },
      { item: 'gizmo', quantity: 1 },
    );
    const documents = stockOf({ widget: [5, 5], gadget: [5, 5] });
    expect(take(ledger, documents)).to.deep.equal(
      refused(ledger, 'ITEM_NOT_FOUND', 'There is no item gizmo'),
    );
  });

  const malformed: readonly object[] = [
    { quantity: '10', price_per_unit: 5, loaded: 10 },
    { quantity: -1, price_per_unit: 5, loaded: 10 },
    { quantity: 1.5, price_per_unit: 5, loaded: 10 },
    { quantity: 10, loaded: 10 },
    { quantity: 10, price_per_unit: 4.99, loaded: 10 },
    { quantity: 10, price_per_unit: -5, loaded: 10 },
    { quantity: 10, price_per_unit: 5 },
    { quantity: 10, price_per_unit: 5, loaded: '10' },
    { price_per_unit: 5, loaded: 10 },
    { price_per_unit: 5 },
    {},
  ];
  for (const fields of malformed) {
    it(`[anomaly 43] makes nothing of stock that is malformed: ${JSON.stringify(fields)}`, () => {
      const documents = { 'inventory/widget': fields };
      const message = 'The document inventory/widget is malformed';
      expect(() => take(orderOf({ item: 'widget', quantity: 1 }), documents)).to.throw(message);
      const holding = aLedgerThatIs('RESERVED');
      expect(() => changeOf(shopOfThree, holding, canceled(holding), documentsOf(documents))).to.throw(
        message,
      );
    });
  }
});

describe('A reservation', () => {
  /** An order of which only the stock is looked at: what else it holds is left out. */
  const giveBack = (ledger: Ledger, documents: Documents) => {
    const change = changeOf(shopOfThree, ledger, canceled(ledger), documentsOf(documents));
    return 'writes' in change ? change.writes.filter(({ path }) => path.startsWith('inventory/')) : change;
  };

  it('[anomaly 17] gives back what the order took, on top of what others did meanwhile', () => {
    const ledger = aLedgerThatIs('RESERVED', {
      items: [
        { item: 'widget', quantity: 2 },
        { item: 'gadget', quantity: 1 },
      ],
    });
    expect(giveBack(ledger, stockOf({ widget: [40, 9], gadget: [0, 9] }))).to.deep.equal([
      left('widget', 42),
      left('gadget', 1),
      unreserve('widget'),
      unreserve('gadget'),
    ]);
  });

  it("[anomaly 12] can't be given back where there is no place for it any more, and says so", () => {
    expect(() => giveBack(aLedgerThatIs('RESERVED'), {})).to.throw(
      "2 can't be given back: there is no item widget any more",
    );
  });

  it('is a record that its own schema accepts, and says nothing twice', () => {
    const ledger = orderOf({ item: 'widget', quantity: 2 });
    const { change } = take(ledger);
    const documents = afterwards(
      documentsOf(stockOf({ widget: [2, 5] })),
      'writes' in change ? change.writes : [],
    );
    const found = documents.get(reservations.of('widget', UUID).path);
    expect(found).to.deep.equal({ quantity: 2, price_per_unit: 5 });
    expect(reservations.schema.safeParse(found)).to.have.property('success', true);
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
      ledger: orderOf(...lines.map(({ item, quantity }) => ({ item, quantity }))),
      before: stockOf(
        Object.fromEntries(
          lines.map(({ item, quantity, left, price }) => [item, [left + quantity, price] as const]),
        ),
      ),
    }));

  /** The documents once the order has reserved, and the ledger that knows it. */
  function reserve(ledger: Ledger, before: Documents) {
    const { turn, change } = take(ledger, before);
    if ('shortage' in change) throw new Error(change.shortage.detail);
    return { done: afterwards(documentsOf(before), change.writes), holding: turn.ledger as Ledger };
  }

  it('[anomaly 13] is given back exactly: every document is again what it was', () => {
    fc.assert(
      fc.property(anyOrder, ({ lines, ledger, before }) => {
        const { done, holding } = reserve(ledger, before);
        for (const { item, left } of lines) expect(done.get(stock.of(item).path)?.quantity).to.equal(left);
        const undo = changeOf(shopOfThree, holding, canceled(holding), done);
        const undone = afterwards(done, 'writes' in undo ? undo.writes : []);
        for (const { item } of lines) {
          expect(undone.get(stock.of(item).path)).to.deep.equal(before[stock.of(item).path]);
          expect(undone.get(reservations.of(item, UUID).path)).to.equal(undefined);
        }
      }),
    );
  });

  it('[anomaly 17] is given back as a difference: what others changed meanwhile stays', () => {
    fc.assert(
      fc.property(anyOrder, ({ lines, ledger, before }) => {
        const { done, holding } = reserve(ledger, before);
        const others = lines.map(({ item, meanwhile }) =>
          update(stock.of(item).path, { quantity: meanwhile, price_per_unit: 77 }),
        );
        const changed = afterwards(done, others);
        const undo = changeOf(shopOfThree, holding, canceled(holding), changed);
        const undone = afterwards(changed, 'writes' in undo ? undo.writes : []);
        for (const { item, quantity, meanwhile } of lines) {
          expect(undone.get(stock.of(item).path)).to.deep.equal({
            quantity: meanwhile + quantity,
            loaded: 2_000_000_000,
            price_per_unit: 77,
          });
        }
      }),
    );
  });
});
