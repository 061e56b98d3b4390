import { expect } from 'chai';
import type { Data } from '../../data-init/load-data.ts';
import { type Saga, sagaPath } from '../../saga/ledger/ledger.ts';
import { anOrder, aSagaThatIs, NOW, PRICE, UUID, uuidOf } from '../support/builders.ts';
import type { PlannedOrder } from './orders.ts';
import { differences, type Expectation, judge } from './verdict.ts';
import type { World } from './world.ts';

const LOADED: Data = {
  users: { jack: { address: '1 Hill Road' }, joe: { address: '3 Mill Lane', credit: 100 } },
  inventory: { widget: { quantity: 10, price_per_unit: PRICE } },
};
const RECORD = `users/jack/orders/${UUID}`;
const RESERVATION = `inventory/widget/orders/${UUID}`;
const INVOICE = `payments/${UUID}`;

/** Jack's order of two widgets is paid, and all books balance, except for what `fields` say. */
function aWorld(fields: Partial<World> = {}): World {
  return {
    sagas: new Map([[sagaPath(UUID), aSagaThatIs('PAID')]]),
    users: new Map(Object.entries(LOADED.users).map(([user, document]) => [`users/${user}`, document])),
    items: new Map([['inventory/widget', { quantity: 8, price_per_unit: PRICE }]]),
    orderRecords: new Map([[RECORD, { items: anOrder().items, createdAt: NOW }]]),
    reservations: new Map([[RESERVATION, { quantity: 2, price_per_unit: PRICE }]]),
    invoices: new Map([[INVOICE, { user: 'jack', total_invoice: 2 * PRICE, createdAt: NOW }]]),
    deadLetters: new Map(),
    ...fields,
  };
}

const planned = (fields: Partial<PlannedOrder> = {}): PlannedOrder => ({
  order: anOrder(),
  by: 'http',
  posts: 1,
  ...fields,
});
const expectation = (fields: Partial<Expectation> = {}): Expectation => ({
  loaded: LOADED,
  accepted: new Map([[UUID, planned()]]),
  askedToCancel: new Set(),
  canceled: new Set(),
  mayExpire: false,
  poisonCount: 0,
  heard: new Set([`${UUID}/payment-created`, `${UUID}/order-canceled`, `${UUID}/error`]),
  ...fields,
});
const withSaga = (saga: Saga, fields: Partial<World> = {}) =>
  aWorld({ sagas: new Map([[sagaPath(saga.uuid), saga]]), ...fields });
/** Nothing was sold. */
const UNTOUCHED: Partial<World> = {
  items: new Map([['inventory/widget', { quantity: 10, price_per_unit: PRICE }]]),
  orderRecords: new Map(),
  reservations: new Map(),
  invoices: new Map(),
};

describe('The verdict on a run', () => {
  it('finds nothing where all is well', () => {
    expect(judge(aWorld(), expectation())).to.deep.equal({ lost: [], wrong: [] });
    expect(
      judge(withSaga(aSagaThatIs('CANCELED'), UNTOUCHED), expectation({ accepted: new Map() })),
    ).to.deep.equal({ lost: [], wrong: [] });
  });

  it('misses an order that was accepted and is not there', () => {
    const other = uuidOf(7);
    const accepted = new Map([
      [UUID, planned()],
      [other, planned()],
    ]);
    expect(judge(aWorld(), expectation({ accepted }))).to.deep.equal({
      lost: [`Order ${other} was accepted and is not there`],
      wrong: [],
    });
  });

  it('sees an order that has not come to its end', () => {
    const { lost } = judge(withSaga(aSagaThatIs('FAILING'), UNTOUCHED), expectation({ accepted: new Map() }));
    expect(lost).to.deep.equal([`Order ${UUID} still is FAILING`]);
  });

  const wrongs: [what: string, world: World, expected: Expectation, sentence: string][] = [
    [
      'units that are gone',
      aWorld({ items: new Map([['inventory/widget', { quantity: 7, price_per_unit: PRICE }]]) }),
      expectation(),
      'Of widget, 10 were loaded, 7 are left and 2 reserved',
    ],
    [
      'credit that came back twice',
      aWorld({ users: new Map([...aWorld().users, ['users/joe', { address: '', credit: 101 }]]) }),
      expectation(),
      'The credit of joe was 100, 101 is left and 0 charged',
    ],
    [
      'an order record that is missing',
      aWorld({ orderRecords: new Map() }),
      expectation(),
      `${RECORD} must hold {"items":[{"item":"widget","quantity":2}]}, and holds nothing`,
    ],
    [
      'an invoice of an order that is not paid',
      withSaga(aSagaThatIs('CANCELED'), { ...UNTOUCHED, invoices: aWorld().invoices }),
      expectation({ accepted: new Map() }),
      `${INVOICE} must hold nothing, and holds {"user":"jack","total_invoice":10}`,
    ],
    [
      'an invoice over another sum',
      aWorld({ invoices: new Map([[INVOICE, { user: 'jack', total_invoice: 11, createdAt: NOW }]]) }),
      expectation(),
      `${INVOICE} must hold {"user":"jack","total_invoice":10}, and holds {"user":"jack","total_invoice":11}`,
    ],
    [
      'a payment that was to fail',
      aWorld(),
      // The ledger has no payment-error either: what counts is what the customer says.
      expectation({
        accepted: new Map([[UUID, planned({ order: anOrder({ paymentError: 'true' }) })]]),
      }),
      `Order ${UUID} is PAID, but its payment was to fail`,
    ],
    [
      'a cancellation that was accepted and forgotten',
      aWorld(),
      expectation({ canceled: new Set([UUID]) }),
      `Order ${UUID} is PAID, but was canceled by its customer`,
    ],
    [
      'an order that nothing stood against',
      withSaga({ ...aSagaThatIs('CANCELED'), detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: PAYMENT_ERROR, why`,
    ],
    [
      'an order that was canceled although nobody asked for it',
      withSaga({ ...aSagaThatIs('CANCELED'), reason: 'CANCELED_BY_CUSTOMER', detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: CANCELED_BY_CUSTOMER, why`,
    ],
    [
      'an order that missed a deadline which it can not have missed',
      withSaga({ ...aSagaThatIs('CANCELED'), reason: 'DEADLINE_EXCEEDED', detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: DEADLINE_EXCEEDED, why`,
    ],
    [
      'a step that was done twice',
      withSaga({
        ...aSagaThatIs('PAID'),
        history: [...aSagaThatIs('PAID').history, `${NOW.toISOString()} PAID payments`],
      }),
      expectation(),
      `Order ${UUID} is PAID and went RECEIVED CREATED RESERVED PAID PAID`,
    ],
    [
      'a final state that nobody was told of',
      aWorld(),
      expectation({ heard: new Set() }),
      `Nobody announced ${UUID}/payment-created`,
    ],
    [
      'a dead letter too few',
      aWorld(),
      expectation({ poisonCount: 1 }),
      '1 dead letters were to be, not 0:\n',
    ],
  ];
  for (const [what, world, expected, sentence] of wrongs) {
    it(`sees ${what}`, () => {
      const { wrong } = judge(world, expected);
      expect(wrong).to.include(sentence);
    });
  }

  it('sees another order than the one that was placed', () => {
    const order = anOrder({ items: [{ item: 'widget', quantity: 3 }] });
    expect(
      judge(aWorld(), expectation({ accepted: new Map([[UUID, planned({ order })]]) })).wrong,
    ).to.deep.equal([`Order ${UUID} is not the order that was placed`]);
  });

  it('sees what a replay has changed, and nothing where it changed nothing', () => {
    expect(differences(aWorld(), aWorld())).to.deep.equal([]);
    const after = aWorld({ items: new Map([['inventory/widget', { quantity: 6, price_per_unit: PRICE }]]) });
    expect(differences(aWorld(), after)).to.deep.equal([
      `The replay changed inventory/widget from {"quantity":8,"price_per_unit":${PRICE}} to {"quantity":6,"price_per_unit":${PRICE}}`,
    ]);
  });
});
