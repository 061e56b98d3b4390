import { expect } from 'chai';
import type { Status } from '../../pipeline.ts';
import { aLedger, anOrder, LATER, NOW, PRICE, TRACE, UUID, uuidOf } from '../../test/support/builders.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { serviceNames } from '../deliver/service.ts';
import { historyLine } from './history.ts';
import {
  advance,
  beginWait,
  complete,
  fail,
  IllegalTransition,
  isFailed,
  isLedgerPath,
  type Ledger,
  ledgerPath,
  leftBy,
  pause,
  receive,
  resume,
  SHARD_COUNT,
  stageOf,
  TOMBSTONE_DAYS,
  tombstone,
  unpause,
} from './ledger.ts';

const steering = { by: 'janitor', person: 'alice', note: 'The provider is away', now: LATER };

/** What a transition at LATER leaves behind, besides what the spec names. */
const moved = (before: Ledger, status: Status, by: string) => ({
  ...before,
  status,
  history: [...before.history, historyLine(status, by, LATER)],
  movedAt: LATER,
  sweepAt: new Date('2026-01-02T03:05:30.000Z'),
  // A ledger that has come to rest before has the field for good.
  ...(before.expireAt !== undefined && { expireAt: null }),
  ...(status === pipeline.success && { sweepAt: null, expireAt: null }),
  ...(status === 'CANCELED' && { sweepAt: null, expireAt: new Date('2026-04-12T03:05:00.000Z') }),
});
const step = (name: string, learned: object = {}) => ({ step: name, by: name, learned, now: LATER });
const failure = (by: string, reason: string, detail: string) => ({ by, reason, detail, now: LATER });
/** The statuses of an order that does not fail, in their order. */
const FORWARD = ['RECEIVED', ...pipeline.steps.map(({ leadsTo }) => leadsTo)] as readonly Status[];
const statusBefore = (status: string) => FORWARD[FORWARD.indexOf(status as Status) - 1] as Status;
const PRICED = [{ item: 'widget', quantity: 2, price_per_unit: PRICE }];

describe('A new ledger', () => {
  it('holds the order, and says who received it and when', () => {
    const order = anOrder({ paymentError: 'null' });
    expect(receive(pipeline, UUID, order, 'frontend', NOW, 900)).to.deep.equal({
      uuid: UUID,
      user: 'jack',
      items: [{ item: 'widget', quantity: 2 }],
      paymentError: 'null',
      status: 'RECEIVED',
      history: ['2026-01-02T03:04:05.678Z RECEIVED frontend'],
      createdAt: NOW,
      movedAt: NOW,
      deadlineSeconds: 900,
      sweepAt: new Date('2026-01-02T03:04:35.678Z'),
      shard: 0x11111111 % SHARD_COUNT,
      mentions: ['widget'],
    });
  });

  it('mentions nothing where its saga says no names by which orders are found', () => {
    const { mentions: _, ...order } = pipeline.order;
    const ledger = receive({ ...pipeline, order }, UUID, anOrder(), 'frontend', NOW, 900);
    expect(ledger).not.to.have.property('mentions');
  });

  it('is known by its path', () => {
    expect(
      [ledgerPath(UUID), `sagas-of/${UUID}`, `users/sagas/orders/${UUID}`].map(isLedgerPath),
    ).to.deep.equal([true, false, false]);
  });

  it('remembers under which trace the order came', () => {
    const untraced = receive(pipeline, UUID, anOrder(), 'frontend', NOW, 900);
    expect(receive(pipeline, UUID, anOrder(), 'frontend', NOW, 900, TRACE)).to.deep.equal({
      ...untraced,
      trace: TRACE,
    });
  });

  it('stays longer than any redelivery can take: twice the 31 days for which Pub/Sub keeps a message', () => {
    expect(TOMBSTONE_DAYS).to.be.greaterThan(2 * 31);
  });

  it('lies in a shard that its uuid tells, and the uuids spread over all shards', () => {
    const shards = Array.from({ length: 64 }, (_, number) => aLedger({ uuid: uuidOf(number) }).shard);
    expect([...new Set(shards)].sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('A ledger that moves on', () => {
  for (const { name, leadsTo } of pipeline.steps) {
    it(`notes that ${name} is done, and what it has learned, beside the order as it was asked`, () => {
      const before = aLedgerThatIs(statusBefore(leadsTo));
      const learned = { lines: PRICED, charged: 10 };
      expect(deepFreeze(advance(pipeline, before, step(name, learned)))).to.deep.equal({
        ...moved(before, leadsTo as Status, name),
        ...learned,
      });
    });
  }

  it('says who acted, apart from the step that was done', () => {
    const created = advance(pipeline, aLedger(), { ...step('order'), by: 'ann' });
    expect(created).to.deep.equal(moved(aLedger(), 'CREATED', 'ann'));
    expect(pipeline.actsOf(created).map(({ step }) => step.name)).to.deep.equal(['order']);
  });

  for (const status of pipeline.statuses.filter((one) => !isFailed({ status: one }))) {
    it(`fails from ${status} with a reason, and remembers what it holds`, () => {
      const before = aLedgerThatIs(status);
      expect(
        fail(pipeline, before, failure('inventory', 'ITEM_NOT_FOUND', 'There is no item widget')),
      ).to.deep.equal({
        ...moved(before, 'FAILING', 'inventory'),
        reason: 'ITEM_NOT_FOUND',
        detail: 'There is no item widget',
      });
    });
  }

  it('is canceled once it fails: it holds nothing any more, and the reason stays', () => {
    const failing = aLedgerThatIs('FAILING');
    expect(complete(pipeline, failing, 'janitor', LATER)).to.deep.equal(
      moved(failing, 'CANCELED', 'janitor'),
    );
  });

  it('forgets how often it was announced in the stage that is over', () => {
    const repeated = aLedger({ repeats: 3 });
    expect(advance(pipeline, repeated, step('order'))).to.deep.equal({
      ...moved(repeated, 'CREATED', 'order'),
      repeats: 0,
    });
  });

  it('never expires while it stands or is paused, nor once it has ended well: its records stay as long', () => {
    const expected: Partial<Record<Status, Date | null>> = {
      [pipeline.success]: null,
      PAUSED: null,
      CANCELED: new Date('2026-04-12T03:04:05.678Z'),
    };
    for (const status of pipeline.statuses)
      expect(aLedgerThatIs(status).expireAt, status).to.deep.equal(expected[status]);
  });

  /** One step forward, into failure and a pause from everywhere but there, back from a pause, and from failure to the end. */
  const isLegal = (from: Status, to: Status) => {
    if (to === 'CANCELED') return from === 'FAILING';
    if (from === 'PAUSED') return to === stageOf(aLedgerThatIs('PAUSED')) || to === 'FAILING';
    if (to === 'PAUSED') return FORWARD.includes(from) && from !== pipeline.success;
    if (to === 'FAILING') return FORWARD.includes(from);
    return to !== 'RECEIVED' && statusBefore(to) === from;
  };
  const moveTo = (ledger: Ledger, to: Status): Ledger => {
    if (to === 'FAILING') return fail(pipeline, ledger, failure('payments', 'PAYMENT_ERROR', 'No'));
    if (to === 'CANCELED') return complete(pipeline, ledger, 'janitor', LATER);
    if (to === 'PAUSED') return pause(pipeline, ledger, steering);
    if (ledger.status === 'PAUSED' && to === stageOf(ledger)) return unpause(pipeline, ledger, steering);
    return advance(pipeline, ledger, step(pipeline.steps.find(({ leadsTo }) => leadsTo === to)?.name ?? to));
  };
  for (const from of pipeline.statuses) {
    for (const to of pipeline.statuses) {
      const allowed = isLegal(from, to);
      it(`${allowed ? 'goes' : 'never goes'} from ${from} to ${to}`, () => {
        const ledger = aLedgerThatIs(from);
        if (allowed) expect(moveTo(ledger, to).status).to.equal(to);
        else expect(() => moveTo(ledger, to)).to.throw(IllegalTransition, `Order ${UUID} is ${from}`);
      });
    }
  }
});

describe('The announcement of a ledger', () => {
  it('is the duty of the party that left the ledger where it stands, and of nobody else', () => {
    const whoAnnounces = (status: Status) =>
      serviceNames(pipeline).filter((party) => leftBy(aLedgerThatIs(status), party));
    expect(pipeline.statuses.map((status) => [status, whoAnnounces(status)])).to.deep.equal([
      ['RECEIVED', ['frontend']],
      ...pipeline.steps.map(({ leadsTo, name }) => [leadsTo, [name]]),
      ['PAUSED', ['janitor']],
      ['FAILING', ['payments']],
      ['CANCELED', ['janitor']],
    ]);
  });
});

describe('The tombstone of an order that nobody knows', () => {
  const unknown = { ...failure('janitor', 'PAYMENT_ERROR', 'It failed before anybody knew it'), now: NOW };

  it('[anomaly 7] is a canceled ledger that holds nothing, with no order in it', () => {
    expect(tombstone(pipeline, UUID, unknown, 900)).to.deep.equal({
      uuid: UUID,
      status: 'CANCELED',
      reason: 'PAYMENT_ERROR',
      detail: 'It failed before anybody knew it',
      history: ['RECEIVED', 'FAILING', 'CANCELED'].map((status) => historyLine(status, 'janitor', NOW)),
      createdAt: NOW,
      movedAt: NOW,
      deadlineSeconds: 900,
      sweepAt: null,
      expireAt: new Date('2026-04-12T03:04:05.678Z'),
      shard: 1,
    });
  });

  it('keeps the trace of the message that told of the failure', () => {
    expect(tombstone(pipeline, UUID, unknown, 900, TRACE)).to.deep.equal({
      ...tombstone(pipeline, UUID, unknown, 900),
      trace: TRACE,
    });
  });
});

describe('The steps that are done', () => {
  const namesOf = (ledger: Ledger) => pipeline.actsOf(ledger).map(({ step }) => step.name);
  const canceled = failure('frontend', 'CANCELED_BY_CUSTOMER', 'No');

  it('are those of the history, until the order is canceled', () => {
    const finished = aLedgerThatIs(pipeline.success);
    const failed = fail(pipeline, finished, canceled);
    const all = pipeline.steps.map(({ name }) => name);
    expect([aLedger(), aLedgerThatIs('RESERVED'), finished, failed].map(namesOf)).to.deep.equal([
      [],
      ['order', 'inventory'],
      all,
      all,
    ]);
    expect(namesOf(complete(pipeline, failed, 'janitor', LATER))).to.deep.equal([]);
  });

  it('are without the one that refused', () => {
    expect(namesOf(aLedgerThatIs('FAILING'))).to.deep.equal(['order', 'inventory']);
  });

  it('are without the one that only received the order', () => {
    const received = receive(pipeline, UUID, anOrder(), 'order', NOW, 900);
    const refused = fail(pipeline, received, failure('order', 'USER_NOT_FOUND', 'No'));
    expect([received, refused].map(namesOf)).to.deep.equal([[], []]);
  });

  it('hears no word where it waits for none', () => {
    for (const status of pipeline.statuses) {
      const said = { word: { word: 'approve' }, by: 'frontend', now: LATER };
      expect(() => resume(pipeline, aLedgerThatIs(status), said)).to.throw(
        IllegalTransition,
        `Order ${UUID} is ${status}: it waits for no word`,
      );
    }
  });

  it('waits only where its step says how', () => {
    const wait = { ...step('inventory'), until: LATER };
    expect(() => beginWait(pipeline, aLedgerThatIs('CREATED'), wait)).to.throw(
      IllegalTransition,
      `Order ${UUID} can't wait: inventory does not say how`,
    );
  });

  it('never gets a reason that its saga does not have: it could not be read again', () => {
    const failure = { by: 'order', reason: 'BECAUSE', detail: 'No', now: LATER };
    expect(() => fail(pipeline, aLedger(), failure)).to.throw(
      IllegalTransition,
      `Order ${UUID} can't fail: BECAUSE is no reason of order-saga`,
    );
  });
});
