import { expect } from 'chai';
import { anOrder, aSaga, aSagaThatIs, LATER, NOW, PRICE, UUID, uuidOf } from '../../test/support/builders.ts';
import { deepFreeze } from '../../test/support/deep-freeze.ts';
import {
  advance,
  completeCompensation,
  doneSteps,
  emissionFor,
  fail,
  IllegalTransition,
  leftBy,
  type Party,
  priceOf,
  receive,
  type Saga,
  SHARD_COUNT,
  STATUSES,
  type Status,
  TOMBSTONE_DAYS,
  tombstone,
} from './ledger.ts';

const line = (status: Status, by: Party, at = NOW) => `${at.toISOString()} ${status} ${by}`;

/** What a transition at LATER leaves behind, besides what the spec names. */
const moved = (before: Saga, status: Status, by: Party) => ({
  ...before,
  status,
  history: [...before.history, line(status, by, LATER)],
  ...(status === 'PAID' || status === 'CANCELED'
    ? { sweepAt: null, expireAt: new Date('2026-04-12T03:05:00.000Z') }
    : { sweepAt: new Date('2026-01-02T03:05:30.000Z'), ...(before.expireAt && { expireAt: null }) }),
});

describe('A new ledger', () => {
  it('holds the order, and says who received it and when', () => {
    const order = anOrder({ paymentError: 'null' });
    expect(receive(UUID, order, 'frontend', NOW)).to.deep.equal({
      uuid: UUID,
      user: 'jack',
      items: [{ item: 'widget', quantity: 2 }],
      paymentError: 'null',
      status: 'RECEIVED',
      history: ['2026-01-02T03:04:05.678Z RECEIVED frontend'],
      createdAt: NOW,
      deadlineSeconds: 900,
      sweepAt: new Date('2026-01-02T03:04:35.678Z'),
      shard: 0x11111111 % SHARD_COUNT,
    });
  });

  it('stays longer than any redelivery can take: twice the 31 days for which Pub/Sub keeps a message', () => {
    expect(TOMBSTONE_DAYS).to.be.greaterThan(2 * 31);
  });

  it('lies in a shard that its uuid tells, and the uuids spread over all shards', () => {
    const shards = Array.from({ length: 64 }, (_, number) => aSaga({ uuid: uuidOf(number) }).shard);
    expect([...new Set(shards)].sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('A ledger that moves on', () => {
  it('notes each step that is done, and what the step has learned', () => {
    const received = aSaga();
    const created = deepFreeze(advance(received, 'order', 'CREATED', {}, LATER));
    expect(created).to.deep.equal(moved(received, 'CREATED', 'order'));

    const items = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];
    const reserved = deepFreeze(advance(created, 'inventory', 'RESERVED', { items }, LATER));
    expect(reserved).to.deep.equal({ ...moved(created, 'RESERVED', 'inventory'), items });

    expect(advance(reserved, 'payments', 'PAID', { total_invoice: 10, charged: 10 }, LATER)).to.deep.equal({
      ...moved(reserved, 'PAID', 'payments'),
      total_invoice: 10,
      charged: 10,
    });
  });

  for (const status of ['RECEIVED', 'CREATED', 'RESERVED', 'PAID'] as const) {
    it(`fails from ${status} with a reason, and remembers what has to be undone`, () => {
      const before = aSagaThatIs(status);
      expect(fail(before, 'inventory', 'ITEM_NOT_FOUND', 'There is no item widget', LATER)).to.deep.equal({
        ...moved(before, 'FAILING', 'inventory'),
        reason: 'ITEM_NOT_FOUND',
        detail: 'There is no item widget',
      });
    });
  }

  it('is canceled once it fails: nothing is left to undo, and the reason stays', () => {
    const failing = aSagaThatIs('FAILING');
    expect(completeCompensation(failing, LATER)).to.deep.equal(moved(failing, 'CANCELED', 'janitor'));
  });

  const legal: Readonly<Record<Status, readonly Status[]>> = {
    RECEIVED: ['CREATED', 'FAILING'],
    CREATED: ['RESERVED', 'FAILING'],
    RESERVED: ['PAID', 'FAILING'],
    PAID: ['FAILING'],
    FAILING: ['CANCELED'],
    CANCELED: [],
  };
  const moveTo = (saga: Saga, to: Status): Saga => {
    if (to === 'FAILING') return fail(saga, 'payments', 'PAYMENT_ERROR', 'No', LATER);
    if (to === 'CANCELED') return completeCompensation(saga, LATER);
    return advance(saga, 'order', to, {}, LATER);
  };
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const allowed = legal[from].includes(to);
      it(`${allowed ? 'goes' : 'never goes'} from ${from} to ${to}`, () => {
        const saga = aSagaThatIs(from);
        if (allowed) expect(moveTo(saga, to).status).to.equal(to);
        else expect(() => moveTo(saga, to)).to.throw(IllegalTransition, `Order ${UUID} is ${from}`);
      });
    }
  }
});

describe('The announcement of a ledger', () => {
  it('goes to the topic of its status', () => {
    expect(STATUSES.map((status) => [status, emissionFor({ status })])).to.deep.equal([
      ['RECEIVED', 'frontend'],
      ['CREATED', 'order-created'],
      ['RESERVED', 'inventory-updated'],
      ['PAID', 'payment-created'],
      ['FAILING', 'error'],
      ['CANCELED', 'order-canceled'],
    ]);
  });

  it('is the duty of the party that left the ledger where it stands, and of nobody else', () => {
    const parties = ['frontend', 'order', 'inventory', 'payments', 'janitor'] as const;
    const whoAnnounces = (status: Status) => parties.filter((party) => leftBy(aSagaThatIs(status), party));
    expect(STATUSES.map((status) => [status, whoAnnounces(status)])).to.deep.equal([
      ['RECEIVED', ['frontend']],
      ['CREATED', ['order']],
      ['RESERVED', ['inventory']],
      ['PAID', ['payments']],
      ['FAILING', ['payments']],
      ['CANCELED', ['janitor']],
    ]);
  });
});

describe('The tombstone of an order that nobody knows', () => {
  it('[anomaly 7] is a canceled ledger with nothing to undo', () => {
    expect(tombstone(UUID, 'PAYMENT_ERROR', 'It failed before anybody knew it', NOW)).to.deep.equal({
      uuid: UUID,
      user: '',
      items: [],
      status: 'CANCELED',
      reason: 'PAYMENT_ERROR',
      detail: 'It failed before anybody knew it',
      history: [line('RECEIVED', 'janitor'), line('FAILING', 'janitor'), line('CANCELED', 'janitor')],
      createdAt: NOW,
      deadlineSeconds: 900,
      sweepAt: null,
      expireAt: new Date('2026-04-12T03:04:05.678Z'),
      shard: 1,
    });
  });
});

describe('The steps that are done', () => {
  it('are those of the history that were not undone', () => {
    const paid = aSagaThatIs('PAID');
    const failed = fail(paid, 'frontend', 'CANCELED_BY_CUSTOMER', 'No', LATER);
    const all = ['order', 'inventory', 'payments'];
    expect([aSaga(), aSagaThatIs('RESERVED'), paid, failed].map(doneSteps)).to.deep.equal([
      [],
      ['order', 'inventory'],
      all,
      all,
    ]);
    expect(doneSteps(completeCompensation(failed, LATER))).to.deep.equal([]);
  });

  it('are without the one that refused', () => {
    expect(doneSteps(aSagaThatIs('FAILING'))).to.deep.equal(['order', 'inventory']);
  });

  it('are without the one that only received the order', () => {
    const received = receive(UUID, anOrder(), 'order', NOW);
    const refused = fail(received, 'order', 'USER_NOT_FOUND', 'No', NOW);
    expect([received, refused].map(doneSteps)).to.deep.equal([[], []]);
  });
});

describe('The price of a line', () => {
  it('is what the ledger says', () => {
    expect(priceOf({ item: 'widget', quantity: 2, price_per_unit: 0 })).to.equal(0);
  });

  it('is never guessed where nothing was reserved', () => {
    expect(() => priceOf({ item: 'widget', quantity: 2 })).to.throw('The line of widget has no price yet');
  });
});
