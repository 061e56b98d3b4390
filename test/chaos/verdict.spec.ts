import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { aLedgerThatIs, anOrder, LATER, NOW, PRICE, UUID, uuidOf } from '../support/builders.ts';
import type { Loaded, PlannedOrder } from './orders.ts';
import { differences, type Expectation, judge, unannounced } from './verdict.ts';
import type { Ledger, User, World } from './world.ts';

const SUCCESS = pipeline.success;
const END = pipeline.topicOf(SUCCESS);
/** All the way to success. */
const WAY = pipeline.statuses.slice(0, pipeline.statuses.indexOf(SUCCESS) + 1).join(' ');
const LOADED: Loaded = {
  users: { jack: { address: '1 Hill Road' }, joe: { address: '3 Mill Lane', credit: 100 } },
  inventory: { widget: { quantity: 10, price_per_unit: PRICE } },
};
const RECORD = `users/jack/orders/${UUID}`;
const RESERVATION = `inventory/widget/orders/${UUID}`;
const INVOICE = `payments/${UUID}`;
const NOW_TEXT = NOW.toISOString();
const INVOICED = { user: 'jack', total_invoice: 2 * PRICE, charged: 0, createdAt: NOW };
const INVOICED_TEXT = JSON.stringify(INVOICED);
const JOE = { address: '3 Mill Lane', credit: 100, credit_limit: 100 };
/** So many widgets are left of ten. */
const widgets = (quantity: number) =>
  new Map([['inventory/widget', { quantity, loaded: 10, price_per_unit: PRICE }]]);

/** Jack's order of two widgets is paid, and all books balance, except for what `fields` say. */
function aWorld(fields: Partial<World> = {}): World {
  return {
    ledgers: new Map([[ledgerPath(UUID), aLedgerThatIs(SUCCESS)]]),
    users: new Map<string, User>([
      ['users/jack', { address: '1 Hill Road' }],
      ['users/joe', JOE],
    ]),
    items: widgets(8),
    orderRecords: new Map([[RECORD, { items: anOrder().items, createdAt: NOW }]]),
    reservations: new Map([[RESERVATION, { quantity: 2, price_per_unit: PRICE }]]),
    invoices: new Map([[INVOICE, INVOICED]]),
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
  heard: new Set([`${UUID}/${END}`, `${UUID}/order-canceled`, `${UUID}/error`]),
  ...fields,
});
const withLedger = (ledger: Ledger, fields: Partial<World> = {}) =>
  aWorld({ ledgers: new Map([[ledgerPath(ledger.uuid), ledger]]), ...fields });
/** Nothing was sold. */
const UNTOUCHED: Partial<World> = {
  items: widgets(10),
  orderRecords: new Map(),
  reservations: new Map(),
  invoices: new Map(),
};

describe('The verdict on a run', () => {
  it('finds nothing where all is well', () => {
    expect(judge(aWorld(), expectation())).to.deep.equal({ lost: [], wrong: [] });
    expect(
      judge(withLedger(aLedgerThatIs('CANCELED'), UNTOUCHED), expectation({ accepted: new Map() })),
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
    const { lost } = judge(
      withLedger(aLedgerThatIs('FAILING'), UNTOUCHED),
      expectation({ accepted: new Map() }),
    );
    expect(lost).to.deep.equal([`Order ${UUID} still is FAILING`]);
  });

  const wrongs: [what: string, world: World, expected: Expectation, sentence: string][] = [
    [
      'units that are gone',
      aWorld({ items: widgets(7) }),
      expectation(),
      'Of widget, 10 were loaded, 7 are left and 2 reserved',
    ],
    [
      'credit that came back twice',
      aWorld({ users: new Map([...aWorld().users, ['users/joe', { ...JOE, credit: 101 }]]) }),
      expectation(),
      'The credit of joe was 100, 101 is left and 0 charged',
    ],
    [
      'an order record that is missing',
      aWorld({ orderRecords: new Map() }),
      expectation(),
      `${RECORD} must hold {"items":[{"item":"widget","quantity":2}],"createdAt":"${NOW_TEXT}"}, and holds nothing`,
    ],
    [
      'an invoice of an order that is not paid',
      withLedger(aLedgerThatIs('CANCELED'), { ...UNTOUCHED, invoices: aWorld().invoices }),
      expectation({ accepted: new Map() }),
      `${INVOICE} must hold nothing, and holds ${INVOICED_TEXT}`,
    ],
    [
      'an invoice over another sum',
      aWorld({ invoices: new Map([[INVOICE, { ...INVOICED, total_invoice: 11 }]]) }),
      expectation(),
      `${INVOICE} must hold ${INVOICED_TEXT}, and holds ${INVOICED_TEXT.replace(':10,', ':11,')}`,
    ],
    [
      'an invoice of another moment',
      aWorld({ invoices: new Map([[INVOICE, { ...INVOICED, createdAt: LATER }]]) }),
      expectation(),
      `${INVOICE} must hold ${INVOICED_TEXT}, and holds ${INVOICED_TEXT.replace(NOW_TEXT, LATER.toISOString())}`,
    ],
    [
      'an invoice that charges nothing to a customer with a limit',
      withLedger(aLedgerThatIs(SUCCESS, { user: 'joe' }), {
        orderRecords: new Map([[`users/joe/orders/${UUID}`, { items: anOrder().items, createdAt: NOW }]]),
        invoices: new Map([[INVOICE, { ...INVOICED, user: 'joe' }]]),
      }),
      expectation({ accepted: new Map([[UUID, planned({ order: anOrder({ user: 'joe' }) })]]) }),
      'The credit of joe was 100, 100 is left and 0 charged',
    ],
    [
      'a price that is not the one of the item',
      withLedger(
        aLedgerThatIs(SUCCESS, { lines: [{ item: 'widget', quantity: 2, price_per_unit: PRICE + 1 }] }),
      ),
      expectation(),
      `Order ${UUID} must know {"lines":[{"item":"widget","quantity":2,"price_per_unit":5}],"charged":0}, and knows {"lines":[{"item":"widget","quantity":2,"price_per_unit":6}],"charged":0}`,
    ],
    [
      'a charge of an order that is not paid',
      withLedger({ ...aLedgerThatIs('CANCELED'), charged: 0 }, UNTOUCHED),
      expectation(),
      `Order ${UUID} must know {"lines":[{"item":"widget","quantity":2,"price_per_unit":5}]}, and knows {"lines":[{"item":"widget","quantity":2,"price_per_unit":5}],"charged":0}`,
    ],
    [
      'a status that nobody knows',
      withLedger({ ...aLedgerThatIs(SUCCESS), status: 'PACKED' }),
      expectation(),
      `Nobody announced ${UUID}/what PACKED calls for`,
    ],
    [
      'a payment that was to fail',
      aWorld(),
      // The ledger has no payment-error either: what counts is what the customer says.
      expectation({
        accepted: new Map([[UUID, planned({ order: anOrder({ paymentError: 'true' }) })]]),
      }),
      `Order ${UUID} is ${SUCCESS}, but its payment was to fail`,
    ],
    [
      'a cancellation that was accepted and forgotten',
      aWorld(),
      expectation({ canceled: new Set([UUID]) }),
      `Order ${UUID} is ${SUCCESS}, but was canceled by its customer`,
    ],
    [
      'an order that nothing stood against',
      withLedger({ ...aLedgerThatIs('CANCELED'), detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: PAYMENT_ERROR, why`,
    ],
    [
      'an order that was canceled although nobody asked for it',
      withLedger({ ...aLedgerThatIs('CANCELED'), reason: 'CANCELED_BY_CUSTOMER', detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: CANCELED_BY_CUSTOMER, why`,
    ],
    [
      'an order that missed a deadline which it can not have missed',
      withLedger({ ...aLedgerThatIs('CANCELED'), reason: 'DEADLINE_EXCEEDED', detail: 'why' }, UNTOUCHED),
      expectation(),
      `Order ${UUID} is CANCELED for no good reason: DEADLINE_EXCEEDED, why`,
    ],
    [
      'a step that was done twice',
      withLedger({
        ...aLedgerThatIs(SUCCESS),
        history: [...aLedgerThatIs(SUCCESS).history, `${NOW.toISOString()} ${SUCCESS} payments`],
      }),
      expectation(),
      `Order ${UUID} is ${SUCCESS} and went ${WAY} ${SUCCESS}`,
    ],
    [
      'a final state that nobody was told of',
      aWorld(),
      expectation({ heard: new Set() }),
      `Nobody announced ${UUID}/${END}`,
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
    const after = aWorld({ items: widgets(6) });
    expect(differences(aWorld(), after)).to.deep.equal([
      `The replay changed inventory/widget from {"quantity":8,"loaded":10,"price_per_unit":${PRICE}} to {"quantity":6,"loaded":10,"price_per_unit":${PRICE}}`,
    ]);
  });

  it('is written by hand: it uses nothing of what it judges', () => {
    const used = ['verdict', 'world', 'orders'].flatMap((name) => {
      const source = readFileSync(new URL(`test/chaos/${name}.ts`, packageRoot), 'utf8');
      return [...source.matchAll(/^import (?!type).*?from '([^']+)';$/gms)].map(([, from]) => from);
    });
    expect(used.filter((from) => !from?.startsWith('./'))).to.deep.equal(['node:util']);
  });

  it('knows every status of the pipeline, and the topic that announces it', () => {
    for (const status of pipeline.statuses) {
      const ledger = aLedgerThatIs(status);
      const { attributes } = messageFor(pipeline, ledger);
      const world = withLedger(ledger, UNTOUCHED);
      expect(unannounced(world, new Set())).to.deep.equal([attributes['ce-id']]);
      const { lost } = judge(world, expectation({ accepted: new Map() }));
      expect(lost.length > 0, status).to.equal(isStanding(pipeline, ledger));
    }
  });
});
