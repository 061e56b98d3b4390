import { expect } from 'chai';
import type { ParsedOrder } from '../saga/step/saga.ts';
import { aLedger, aLedgerThatIs, anOrder, PRICE } from '../test/support/builders.ts';
import { defined } from '../test/support/defined.ts';
import { deepFreeze } from '../test-kit/deep-freeze.ts';
import { LINES_MAX, type Order, order, parseOrder, QUANTITY_MAX } from './order.ts';

const shows = (ledger: Parameters<typeof order.shows>[0]) => defined(order.shows(ledger));

const post = (fields: Record<string, unknown>): ParsedOrder =>
  parseOrder(deepFreeze({ user: 'jack', item: 'widget', quantity: 2, ...fields }));
const postLines = (items: unknown, fields: Record<string, unknown> = {}): ParsedOrder =>
  parseOrder(deepFreeze({ user: 'jack', items, ...fields }));
const fault = (field: string, message: string): ParsedOrder => ({ faults: [{ field, message }] });
const without = (field: string) => {
  const { [field]: _, ...rest }: Record<string, unknown> = { user: 'jack', item: 'widget', quantity: 2 };
  return parseOrder(rest);
};
const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ item: `item-${index}`, quantity: 1 }));

const QUANTITY_FAULT = 'must be a whole number from 1 to 1000000000';
const BOTH_FORMS = 'give either item and quantity, or items, not both';

describe('An order as it is posted', () => {
  it('has one line in the short form and the same line in the long form', () => {
    expect(post({})).to.deep.equal({ order: anOrder() });
    expect(postLines([{ item: 'widget', quantity: 2 }])).to.deep.equal({ order: anOrder() });
  });

  for (const quantity of [1, 2, 1_000_000_000]) {
    it(`takes ${quantity} of an item`, () => {
      expect(post({ quantity })).to.deep.equal({ order: anOrder({ items: [{ item: 'widget', quantity }] }) });
    });
  }

  const wrongQuantities = [
    0,
    -1,
    -0,
    1.5,
    1_000_000_001,
    2 ** 53,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '2',
    null,
    true,
    [2],
    {},
  ];
  for (const quantity of wrongQuantities) {
    const shown = typeof quantity === 'number' ? String(quantity) : JSON.stringify(quantity);
    it(`[anomaly 41] refuses the quantity ${shown} and names the field`, () => {
      expect(post({ quantity })).to.deep.equal(fault('quantity', QUANTITY_FAULT));
      expect(postLines([{ item: 'widget', quantity }])).to.deep.equal(
        fault('items[0].quantity', QUANTITY_FAULT),
      );
    });
  }

  for (const field of ['user', 'item', 'quantity']) {
    it(`[anomaly 41] refuses an order whose ${field} is missing`, () => {
      expect(without(field)).to.deep.equal(fault(field, 'is missing'));
    });
  }

  it('[anomaly 41] refuses a line of which something is missing', () => {
    expect(postLines([{ quantity: 1 }])).to.deep.equal(fault('items[0].item', 'is missing'));
    expect(postLines([{ item: 'widget' }])).to.deep.equal(fault('items[0].quantity', 'is missing'));
  });

  it('[anomaly 41] refuses an order with neither form', () => {
    expect(parseOrder({ user: 'jack' })).to.deep.equal(
      fault('items', 'is missing: give item and quantity, or items'),
    );
  });

  it('[anomaly 41] refuses an order in both forms', () => {
    const items = [{ item: 'widget', quantity: 2 }];
    expect(postLines(items, { item: 'widget', quantity: 2 })).to.deep.equal({
      faults: [
        { field: 'item', message: BOTH_FORMS },
        { field: 'quantity', message: BOTH_FORMS },
      ],
    });
    expect(postLines(items, { item: 'widget' })).to.deep.equal(fault('item', BOTH_FORMS));
    expect(postLines(items, { quantity: 2 })).to.deep.equal(fault('quantity', BOTH_FORMS));
  });

  it('[anomaly 41] refuses an item that is named twice', () => {
    const message = 'names "widget" twice: add the quantities up';
    expect(
      postLines([
        { item: 'widget', quantity: 1 },
        { item: 'widget', quantity: 2 },
      ]),
    ).to.deep.equal(fault('items', message));
  });

  it('[anomaly 41] refuses fields that nobody knows, also in a line', () => {
    expect(post({ price: 0, status: 'PAID' })).to.deep.equal({
      faults: [
        { field: 'price', message: 'is unknown' },
        { field: 'status', message: 'is unknown' },
      ],
    });
    expect(postLines([{ item: 'widget', quantity: 2, price_per_unit: 0 }])).to.deep.equal(
      fault('items[0].price_per_unit', 'is unknown'),
    );
    expect(
      parseOrder(JSON.parse('{"user":"jack","item":"widget","quantity":2,"__proto__":{}}')),
    ).to.deep.equal(fault('__proto__', 'is unknown'));
  });

  it('[anomaly 41] names every fault at once', () => {
    expect(post({ user: 'a/b', item: '..', quantity: 0, price: 0 })).to.deep.equal({
      faults: [
        { field: 'user', message: 'must not contain "/"' },
        { field: 'item', message: 'is a reserved name' },
        { field: 'quantity', message: QUANTITY_FAULT },
        { field: 'price', message: 'is unknown' },
      ],
    });
    expect(parseOrder({ user: 'a/b' })).to.deep.equal({
      faults: [
        { field: 'user', message: 'must not contain "/"' },
        { field: 'items', message: 'is missing: give item and quantity, or items' },
      ],
    });
  });

  for (const input of [null, [], 'order', 3, true]) {
    it(`[anomaly 41] refuses ${JSON.stringify(input)} as an order`, () => {
      expect(parseOrder(input)).to.deep.equal(fault('body', 'must be a JSON object'));
    });
  }

  for (const items of [null, {}, 'widget', 3]) {
    it(`[anomaly 41] refuses ${JSON.stringify(items)} as its lines`, () => {
      expect(postLines(items)).to.deep.equal(fault('items', 'must be a list of {item, quantity}'));
    });
  }

  for (const line of [null, [], 'widget', 3]) {
    it(`[anomaly 41] refuses ${JSON.stringify(line)} as a line`, () => {
      expect(postLines([line])).to.deep.equal(fault('items[0]', 'must be an object with item and quantity'));
      if (Array.isArray(line)) return;
      expect(order.parse({ user: 'jack', items: [line] })).to.deep.equal(postLines([line]));
    });
  }

  it('has 1 to 50 lines', () => {
    for (const count of [1, LINES_MAX]) {
      expect(postLines(lines(count))).to.deep.equal({ order: anOrder({ items: lines(count) }) });
    }
    expect(postLines([])).to.deep.equal(fault('items', 'must have at least one line'));
    expect(postLines(lines(LINES_MAX + 1))).to.deep.equal(fault('items', 'must have at most 50 lines'));
  });

  it('[anomaly 41] has one fault for all its lines where there are far too many', () => {
    const pairs = lines(10_000).flatMap((line) => [{ ...line }, { ...line }]);
    for (const items of [Array.from({ length: 30_000 }, () => 1), pairs]) {
      expect(postLines(items)).to.deep.equal(fault('items', 'must have at most 50 lines'));
    }
  });

  it('[anomaly 41] tells wrong lines from lines that repeat each other', () => {
    expect(postLines([null, null, { item: 'a/b', quantity: 1 }, { item: 'a/b', quantity: 1 }])).to.deep.equal(
      {
        faults: [
          { field: 'items[0]', message: 'must be an object with item and quantity' },
          { field: 'items[1]', message: 'must be an object with item and quantity' },
          { field: 'items[2].item', message: 'must not contain "/"' },
          { field: 'items[3].item', message: 'must not contain "/"' },
        ],
      },
    );
  });
});

describe('The name of an item or a user', () => {
  it('is kept as it was given', () => {
    const name = 'größe 日本';
    expect(post({ user: name, item: name })).to.deep.equal({
      order: { user: name, items: [{ item: name, quantity: 2 }] },
    });
  });

  it('[anomaly 42] is refused wherever it stands, with what is wrong with it and where', () => {
    const message = 'must not contain "/"';
    expect(post({ user: 'a/b' })).to.deep.equal(fault('user', message));
    expect(post({ item: 'a/b' })).to.deep.equal(fault('item', message));
    expect(postLines([{ item: 'a/b', quantity: 1 }])).to.deep.equal(fault('items[0].item', message));
  });

  for (const name of [null, 3, true, ['jack'], { name: 'jack' }]) {
    it(`[anomaly 42] is text, not ${JSON.stringify(name)}`, () => {
      expect(post({ user: name })).to.deep.equal(fault('user', 'must be text'));
      expect(post({ item: name })).to.deep.equal(fault('item', 'must be text'));
    });
  }
});

describe('A wish for the payment to fail', () => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  const TOO_LARGE = 'must take at most 65536 characters of JSON, not deeply nested';

  const wishes = [
    null,
    'null',
    false,
    true,
    0,
    '',
    'always',
    [],
    { because: ['I', 'say', 'so'] },
    nested(100),
  ];
  for (const wish of wishes) {
    it(`may be ${JSON.stringify(wish).slice(0, 40)}, and is kept as it was given`, () => {
      expect(post({ 'payment-error': wish })).to.deep.equal({
        order: anOrder({ paymentError: JSON.stringify(wish) }),
      });
    });
  }

  it('is kept up to its limit, as JSON', () => {
    const longest = 'x'.repeat(65_534);
    expect(post({ 'payment-error': longest })).to.deep.equal({
      order: anOrder({ paymentError: `"${longest}"` }),
    });
    expect(post({ 'payment-error': `${longest}x` })).to.deep.equal(fault('payment-error', TOO_LARGE));
  });

  it('is a surprise where no JSON can hold it: it can have come from no customer', () => {
    expect(() => post({ 'payment-error': 1n })).to.throw(TypeError);
  });

  it('[anomaly 41] is refused where it is nested too deeply to be written', () => {
    expect(
      parseOrder({ user: 'jack', item: 'widget', quantity: 2, 'payment-error': nested(30_000) }),
    ).to.deep.equal(fault('payment-error', TOO_LARGE));
  });
});

describe('A wish for a step to fail', () => {
  it('is kept as it was given, and is the same in every message of the order', () => {
    const wish = anOrder({ fail: 'inventory' });
    expect(post({ fail: 'inventory' })).to.deep.equal({ order: wish });
    for (const asked of [wish, { ...wish, paymentError: '1' }]) {
      for (const ledger of [aLedger(asked), aLedgerThatIs('RESERVED', asked)]) {
        expect(order.parse(shows(ledger))).to.deep.equal({ order: asked });
      }
    }
  });

  it('[anomaly 41] is refused where it is no text, posted or in a message', () => {
    for (const fail of [null, 3, ['inventory'], {}]) {
      const refused = fault('fail', 'must be the name of a step');
      expect(post({ fail })).to.deep.equal(refused);
      expect(order.parse({ ...shows(aLedger()), fail })).to.deep.equal(refused);
    }
  });
});

describe('An order inside a message', () => {
  it('is the order of a snapshot, whatever else the snapshot says', () => {
    const snapshot = {
      uuid: '11111111-1111-4111-8111-111111111111',
      user: 'jack',
      item: 'widget',
      quantity: 2,
      items: [{ item: 'widget', quantity: 2, price_per_unit: 5 }],
      'payment-error': null,
      status: 'RESERVED',
      total_invoice: 10,
    };
    expect(order.parse(deepFreeze(snapshot))).to.deep.equal({
      order: anOrder({ paymentError: 'null' }),
    });
  });

  it('may have the short form', () => {
    expect(order.parse({ user: 'jack', item: 'widget', quantity: 2, topic: 'x' })).to.deep.equal({
      order: anOrder(),
    });
  });

  it('is the same whether it is a snapshot or not, with all that it asks for', () => {
    const wishes = { on_shortage: 'ask', mode: 'orchestration', fail: 'payments' };
    const whole = { user: 'jack', items: [{ item: 'widget', quantity: 2 }], ...wishes };
    const parsed = { order: anOrder(wishes as Partial<Order>) };
    expect(parseOrder(whole)).to.deep.equal(parsed);
    expect(order.parse(whole)).to.deep.equal(parsed);
    expect(order.parse({ ...whole, status: 'CREATED' })).to.deep.equal(parsed);
  });

  it('[anomaly 41] is refused for an unknown field in any of its lines, also in a snapshot', () => {
    const fine = { item: 'widget', quantity: 2 };
    for (const items of [[{ ...fine, discount: 1 }], [fine, { item: 'wotsit', quantity: 1, discount: 1 }]]) {
      expect(order.parse({ user: 'jack', items })).to.deep.equal(
        fault(`items[${items.length - 1}].discount`, 'is unknown'),
      );
    }
  });

  it('[anomaly 41] is checked like a posted one', () => {
    const line = { item: 'a/b', quantity: -1, discount: 100 };
    expect(order.parse({ user: 'jack', items: [line] })).to.deep.equal({
      faults: [
        { field: 'items[0].item', message: 'must not contain "/"' },
        { field: 'items[0].quantity', message: QUANTITY_FAULT },
        { field: 'items[0].discount', message: 'is unknown' },
      ],
    });
    expect(order.parse({ items: [null], user: 'jack' })).to.deep.equal(
      fault('items[0]', 'must be an object with item and quantity'),
    );
    expect(order.parse({ items: null, user: 'jack', item: 'widget', quantity: 2 })).to.deep.equal(
      fault('items', 'must be a list of {item, quantity}'),
    );
    expect(order.parse({})).to.deep.equal({
      faults: [
        { field: 'user', message: 'is missing' },
        { field: 'items', message: 'is missing: give item and quantity, or items' },
      ],
    });
  });
});

describe('An order as the ledger keeps it', () => {
  const isKept = (fields: object) => order.schema.safeParse({ ...anOrder(), ...fields }).success;

  it('is every order that may be posted', () => {
    const posted = [
      post({}),
      post({ quantity: QUANTITY_MAX, 'payment-error': null, fail: 'order' }),
      postLines(lines(LINES_MAX), { 'payment-error': { because: 1 } }),
    ];
    for (const parsed of posted) {
      expect('order' in parsed && order.schema.safeParse(parsed.order).success).to.equal(true);
    }
  });

  const widget = { item: 'widget', quantity: 2 };
  const wrong: readonly (readonly [what: string, fields: object])[] = [
    ['without a customer', { user: undefined }],
    ['of a customer whose name is none', { user: 'a/b' }],
    ['without lines', { items: undefined }],
    ['with no line at all', { items: [] }],
    ['with too many lines', { items: lines(LINES_MAX + 1) }],
    ['that names an item twice', { items: [widget, widget] }],
    ['of an item whose name is none', { items: [{ ...widget, item: '..' }] }],
    ['of nothing', { items: [{ ...widget, quantity: 0 }] }],
    ['of too much', { items: [{ ...widget, quantity: QUANTITY_MAX + 1 }] }],
    ['with a wish for failure that is no text', { paymentError: null }],
    ['with a wish for failure that is no JSON', { paymentError: 'please' }],
    ['with a step to fail that has no name', { fail: null }],
  ];
  for (const [what, fields] of wrong) {
    it(`[anomaly 43] is none ${what}`, () => {
      expect([isKept({}), isKept(fields)]).to.deep.equal([true, false]);
    });
  }
});

describe('What people see of an order', () => {
  const asked = { user: 'jack', item: 'widget', quantity: 2, items: anOrder().items };
  const priced = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];

  it('is what was asked, then at which price it was reserved, then what it comes to', () => {
    expect(shows(aLedger())).to.deep.equal(asked);
    expect(shows(aLedgerThatIs('RESERVED'))).to.deep.equal({ ...asked, items: priced });
    expect(shows(aLedgerThatIs('PAID'))).to.deep.equal({
      ...asked,
      items: priced,
      total_invoice: 2 * PRICE,
      delivery_cost: 0,
    });
  });

  it('has the total whether or not the customer has a limit from which it was taken', () => {
    for (const charged of [0, 2 * PRICE]) {
      expect(shows(aLedgerThatIs('PAID', { charged }))).to.have.property('total_invoice', 2 * PRICE);
    }
  });

  it('has a total of nothing where everything was free', () => {
    const free = [{ item: 'widget', quantity: 2, price_per_unit: 0 }];
    expect(shows(aLedgerThatIs('PAID', { lines: free }))).to.deep.include({ total_invoice: 0 });
  });

  it('has no total where it has no prices, as an order from before anything was reserved', () => {
    const { lines: _, ...unpriced } = aLedgerThatIs('PAID');
    expect(shows(unpriced)).to.deep.equal({ ...asked, delivery_cost: 0 });
  });

  it('has the one line in short only where there is one', () => {
    const items = [
      { item: 'widget', quantity: 2 },
      { item: 'gadget', quantity: 1 },
    ];
    expect(shows(aLedger({ items }))).to.deep.equal({ user: 'jack', items });
  });

  it('has the lines that an amendment left as soon as the amendment was heard', () => {
    const lines = (quantity: number) => [{ item: 'widget', quantity, price_per_unit: PRICE }];
    const offered = lines(5);
    const waiting = aLedgerThatIs('RECEIVED', { offered });
    const heard = (word: object) =>
      shows({ ...waiting, heard: { earlier: { word: 'open' }, inventory: word } } as never);
    expect(shows(waiting)).to.deep.equal({ ...asked, items: offered });
    expect(heard({ word: 'approve' })).to.deep.equal({ ...asked, items: offered });
    expect(heard({ word: 'amend', items: [{ item: 'widget', quantity: 3 }] })).to.deep.equal({
      ...asked,
      items: lines(3),
    });
    expect(heard({ word: 'amend', items: [{ item: 'gadget', quantity: 1 }] })).to.have.property('items')
      .empty;
  });

  it('gives a wish for failure back as it came', () => {
    const wish: Order = anOrder({ paymentError: '{"because":null}' });
    expect(shows(aLedger(wish))).to.deep.equal({ ...asked, 'payment-error': { because: null } });
  });

  it('[anomaly 7] is no line where the order never came', () => {
    const { user: _user, items: _items, lines: _lines, ...tombstone } = aLedgerThatIs('CANCELED');
    expect(shows(tombstone)).to.deep.equal({ items: [] });
  });
});
