import { expect } from 'chai';
import { z } from 'zod';
import type { OrderLedger } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import { aLedger, anOrder, LATER, NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { create } from '../commit/documents.ts';
import { messageFor } from '../deliver/message.ts';
import { DEADLINE_SECONDS } from '../ledger/deadline.ts';
import { advance, complete, fail, type Ledger, ledgerPath, receive } from '../ledger/ledger.ts';
import { MalformedLedger } from '../ledger/read-ledger.ts';
import type { SagaEvent } from '../ports/observe.ts';
import { type Path, readOne } from '../ports/store.ts';
import { account } from '../step/document.ts';
import { defineSaga } from '../step/saga.ts';
import { accept, stepsFor } from '../step/step.ts';
import type { LedgerTask } from '../step/turn.ts';
import { takeTurns } from './turns.ts';

const turnOf = (uuid: string, take: LedgerTask['take'], fields: Partial<LedgerTask> = {}): LedgerTask => ({
  uuid,
  take,
  ...fields,
});
const lookAt: LedgerTask['take'] = (ledger) => ({ outcome: 'duplicate', ...(ledger && { ledger }) });
const created = (before: Ledger, now: Date): Ledger =>
  advance(pipeline, before, { step: 'order', by: 'order', learned: {}, now });
const failure = (by: string) => ({ by, reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: NOW });
const LINES = [{ item: 'widget', quantity: 2, price_per_unit: 5 }];
const reserved = (before: Ledger): Ledger =>
  advance(pipeline, before, { step: 'inventory', by: 'inventory', learned: { lines: LINES }, now: NOW });
const reserve: LedgerTask['take'] = (ledger = aLedgerThatIs('CREATED')) =>
  ledger.status === 'CREATED'
    ? { outcome: 'accepted', ledger: reserved(ledger) }
    : { outcome: 'duplicate', ledger };
const WIDGET = 'inventory/widget' as Path<{ readonly quantity: number }>;
const stockOf = (quantity: number) => ({ [WIDGET]: { quantity, loaded: 10, price_per_unit: 5 } });
const writesIn = (commits: readonly (readonly { kind: string; path: Path }[])[]) =>
  commits.map((writes) => writes.map(({ kind, path }) => `${kind} ${path}`));

/** A saga that gives: whoever orders gets five points, and may have spent them when the order fails. */
const purses = account({
  name: 'purse',
  path: 'points/{user}',
  balance: 'balance',
  whole: 'all',
  fields: {},
  shortage: 'SPENT',
});
const giving = defineSaga({
  name: 'giving',
  order: pipeline.order,
  entry: { topic: 'orders', says: 'an order was accepted' },
  steps: [
    stepsFor<Order>()({
      name: 'bonus',
      leadsTo: 'GIVEN',
      announces: 'given',
      says: 'the customer has got the points',
      uses: [purses],
      reads: ({ user }) => [purses.of(user)],
      decide: () => accept({}),
      holds: ({ user }) => [purses.of(user).amount(-5)],
    }),
  ],
  failure: { topic: 'failed', says: 'an order fails' },
  end: { topic: 'canceled', says: 'an order is canceled' },
  reasons: ['CANCELED_BY_CUSTOMER'],
  unknownReason: 'CANCELED_BY_CUSTOMER',
  services: [],
  subscriptions: {},
});

describe('Turns', () => {
  it('happen at the moment at which the batch began', async () => {
    const ports = await recordedPorts();
    const moments: Date[] = [];
    const take: LedgerTask['take'] = (_ledger, _documents, now) => {
      moments.push(now);
      return { outcome: 'ignored' };
    };
    ports.store.readFaults = 1;
    await ports.clock.finish(
      takeTurns(pipeline, 'order', [turnOf(UUID, take), turnOf(uuidOf(2), take)], ports),
    );
    expect(moments).to.deep.equal([NOW, NOW]);
  });

  it('[anomaly 21] never happen before the transition that they follow, whatever the clock says', async () => {
    const ports = await recordedPorts({
      [ledgerPath(UUID)]: created(aLedger(), LATER),
      [ledgerPath(uuidOf(2))]: aLedger({ uuid: uuidOf(2) }),
    });
    const moments: Date[] = [];
    const take: LedgerTask['take'] = (_ledger, _documents, now) => {
      moments.push(now);
      return { outcome: 'ignored' };
    };
    await takeTurns(
      pipeline,
      'inventory',
      [turnOf(UUID, take), turnOf(uuidOf(2), take), turnOf(uuidOf(3), take)],
      ports,
    );
    expect(moments).to.deep.equal([LATER, NOW, NOW]);
  });

  it('read no ledger for a uuid that was freshly drawn, and find it there all the same after a lost answer', async () => {
    const ports = await recordedPorts();
    const received = receive(pipeline, UUID, anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
    const task = turnOf(
      UUID,
      (ledger) => (ledger ? { outcome: 'duplicate', ledger } : { outcome: 'accepted', ledger: received }),
      { isNew: true },
    );
    expect(await takeTurns(pipeline, 'frontend', [task], ports)).to.deep.equal([
      { turn: { outcome: 'accepted', ledger: received } },
    ]);
    expect(ports.store.reads).to.deep.equal([]);

    const others = await recordedPorts();
    others.store.commitFaults.push('lost answer');
    expect(await others.clock.finish(takeTurns(pipeline, 'frontend', [task], others))).to.deep.equal([
      { turn: { outcome: 'duplicate', ledger: received } },
    ]);
    expect(others.published).to.have.length(1);
  });

  it('write only what changes in a ledger, and nothing where nothing does', async () => {
    const before = aLedgerThatIs('CREATED');
    const ports = await recordedPorts({ [ledgerPath(UUID)]: before, ...stockOf(10) });
    await takeTurns(pipeline, 'order', [turnOf(UUID, lookAt)], ports);
    expect(ports.store.commits).to.deep.equal([]);

    const task = turnOf(UUID, reserve, { reads: () => [WIDGET] });
    await takeTurns(pipeline, 'inventory', [task], ports);
    const fields = ports.store.commits
      .flat()
      .flatMap((write) =>
        write.path === ledgerPath(UUID) && write.kind === 'update' ? Object.keys(write.fields).sort() : [],
      );
    expect(fields).to.deep.equal(['history', 'lines', 'movedAt', 'status']);
    expect(await readOne(ports.store, ledgerPath(UUID))).to.deep.equal(reserved(before));
  });

  it('write what the order holds more in the same commit', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedgerThatIs('CREATED'), ...stockOf(10) });
    await takeTurns(pipeline, 'inventory', [turnOf(UUID, reserve, { reads: () => [WIDGET] })], ports);
    expect(writesIn(ports.store.commits)).to.deep.equal([
      [`update ${WIDGET}`, `create ${WIDGET}/orders/${UUID}`, `update ${ledgerPath(UUID)}`],
    ]);
    expect((await readOne(ports.store, WIDGET))?.quantity).to.equal(8);
  });

  it('[anomaly 15] refuse an order for which an account has not enough, whatever the step decided', async () => {
    const before = aLedgerThatIs('CREATED');
    const ports = await recordedPorts({ [ledgerPath(UUID)]: before, ...stockOf(1) });
    const detail = 'item widget has quantity 1, which is less than 2';
    const refused = fail(pipeline, before, {
      by: 'inventory',
      reason: 'INSUFFICIENT_INVENTORY',
      detail,
      now: NOW,
    });
    const task = turnOf(UUID, reserve, { reads: () => [WIDGET] });
    expect(await takeTurns(pipeline, 'inventory', [task], ports)).to.deep.equal([
      { turn: { outcome: 'refused', ledger: refused, detail: `INSUFFICIENT_INVENTORY: ${detail}` } },
    ]);
    expect(writesIn(ports.store.commits)).to.deep.equal([[`update ${ledgerPath(UUID)}`]]);
    expect(ports.published).to.deep.equal([messageFor(pipeline, refused)]);
  });

  it('[anomaly 15] refuse an order that begins in the same turn, from where the turn began', async () => {
    const from = aLedgerThatIs('CREATED');
    const ports = await recordedPorts(stockOf(1));
    const task = turnOf(UUID, () => ({ outcome: 'accepted', from, ledger: reserved(from) }), {
      reads: () => [WIDGET],
    });
    const [taken] = await takeTurns(pipeline, 'inventory', [task], ports);
    expect(taken).to.have.nested.property('turn.outcome', 'refused');
    const stored = (await readOne(ports.store, ledgerPath(UUID))) as OrderLedger;
    expect([stored.status, stored.history.length]).to.deep.equal(['FAILING', from.history.length + 1]);
  });

  it('[anomaly 15] leave an order as it is where there is not enough for what is optional', async () => {
    const before = aLedgerThatIs('CREATED');
    const ports = await recordedPorts({ [ledgerPath(UUID)]: before, ...stockOf(1) });
    const wish = (uuid: string): LedgerTask =>
      turnOf(uuid, () => ({ outcome: 'steered', ledger: reserved({ ...before, uuid }), isOptional: true }), {
        reads: () => [WIDGET],
      });
    const detail = 'item widget has quantity 1, which is less than 2';
    expect(await takeTurns(pipeline, 'janitor', [wish(UUID), wish(uuidOf(2))], ports)).to.deep.equal([
      { turn: { outcome: 'unheeded', detail, ledger: before } },
      { turn: { outcome: 'unheeded', detail } },
    ]);
    expect([ports.store.commits, ports.published]).to.deep.equal([[], []]);
  });

  it('are a surprise where there is not enough for an order that nothing is known of before', async () => {
    const ports = await recordedPorts(stockOf(1));
    const task = turnOf(UUID, () => ({ outcome: 'accepted', ledger: reserved(aLedgerThatIs('CREATED')) }), {
      reads: () => [WIDGET],
    });
    const [taken] = await takeTurns(pipeline, 'inventory', [task], ports);
    expect(taken).to.have.nested.property(
      'error.message',
      'item widget has quantity 1, which is less than 2',
    );
    expect(ports.store.commits).to.deep.equal([]);
  });

  it('write what belongs to them besides, also where the ledger stays as it is, and nothing where there is none', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
    const entry = 'entries/1' as Path<object>;
    const noting: LedgerTask['take'] = (...known) => ({ ...lookAt(...known), besides: [create(entry, {})] });
    await takeTurns(pipeline, 'janitor', [turnOf(uuidOf(2), noting, { reads: () => [entry] })], ports);
    expect(ports.store.commits).to.deep.equal([]);
    await takeTurns(pipeline, 'janitor', [turnOf(UUID, noting, { reads: () => [entry] })], ports);
    expect(writesIn(ports.store.commits)).to.deep.equal([[`create ${entry}`]]);
  });

  it('check a ledger once for each time that it was read', async () => {
    let checks = 0;
    const counted = z.string().refine(() => {
      checks++;
      return true;
    });
    const { order } = pipeline;
    const counting = defineSaga({
      ...giving,
      order: { ...order, schema: order.schema.extend({ user: counted }) },
      // The compiler checks only lists whose members it knows one by one.
      steps: giving.steps as readonly [],
    });
    const started = receive(giving, UUID, anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
    const ports = await recordedPorts({ [ledgerPath(UUID)]: started });
    await takeTurns(counting, 'frontend', [turnOf(UUID, lookAt)], ports);
    expect(checks).to.equal(1);
  });

  it("[anomaly 12] are a surprise where what was given to somebody can't be taken back, and change nothing", async () => {
    const started = receive(giving, UUID, anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
    const given = advance(giving, started, { step: 'bonus', by: 'bonus', learned: {}, now: NOW });
    const failing = fail(giving, given, failure('frontend'));
    const ports = await recordedPorts({ [ledgerPath(UUID)]: failing, 'points/jack': { balance: 3, all: 8 } });
    const task = turnOf(
      UUID,
      (ledger = failing) => ({ outcome: 'compensated', ledger: complete(giving, ledger, 'janitor', NOW) }),
      { reads: () => ['points/jack'] },
    );
    const [taken] = await takeTurns(giving, 'janitor', [task], ports);
    expect(taken).to.have.nested.property('error.message', 'purse jack has balance 3, which is less than 5');
    expect([ports.store.commits, await readOne(ports.store, ledgerPath(UUID))]).to.deep.equal([[], failing]);
  });

  it('[anomaly 18] announce a ledger that stands where this party left it, and no other', async () => {
    const ports = await recordedPorts({
      [ledgerPath(UUID)]: aLedger(),
      [ledgerPath(uuidOf(2))]: aLedgerThatIs('CREATED', { uuid: uuidOf(2) }),
    });
    await takeTurns(
      pipeline,
      'frontend',
      [turnOf(UUID, lookAt), turnOf(uuidOf(2), lookAt), turnOf(uuidOf(3), lookAt)],
      ports,
    );
    expect(ports.published.map(({ attributes }) => attributes['ce-id'])).to.deep.equal([`${UUID}/frontend`]);
  });

  it('announce a ledger whoever left it, where the turn asks for that', async () => {
    const ledger = aLedgerThatIs('CREATED');
    const ports = await recordedPorts({ [ledgerPath(UUID)]: ledger });
    const task = turnOf(UUID, (found = ledger) => ({ outcome: 'announced', ledger: found, announce: true }));
    await takeTurns(pipeline, 'janitor', [task], ports);
    expect(ports.published).to.deep.equal([messageFor(pipeline, ledger)]);
  });

  it('announce a ledger as the last turn of the batch left it', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
    const tasks = [
      turnOf(UUID, (ledger = aLedger()) => ({ outcome: 'accepted', ledger: created(ledger, NOW) })),
      turnOf(UUID, (ledger = aLedger()) => ({
        outcome: 'refused',
        ledger: fail(pipeline, ledger, failure('order')),
      })),
    ];
    await takeTurns(pipeline, 'order', tasks, ports);
    expect(ports.journal).to.deep.equal(['commit', 'publish error']);
  });

  it('[anomaly 18] announce what was committed also where a later message of the batch has no turn', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
    const tasks = [
      turnOf(UUID, (ledger = aLedger()) => ({ outcome: 'accepted', ledger: created(ledger, NOW) })),
      turnOf(UUID, () => ({ outcome: 'parked', detail: 'Another order has the uuid of the message' })),
    ];
    await takeTurns(pipeline, 'order', tasks, ports);
    expect(ports.journal).to.deep.equal(['commit', 'publish order-created']);
  });

  it('tell an observer which ledgers they have moved, and nothing where they moved none', async () => {
    const before = aLedger();
    const ports = await recordedPorts({ [ledgerPath(UUID)]: before });
    const told: SagaEvent[] = [];
    const observe = (event: SagaEvent) => {
      told.push(event);
      return undefined;
    };
    const drawn = receive(pipeline, uuidOf(2), anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
    const surprise = () => {
      throw new Error('Surprise');
    };
    const still = [
      turnOf(UUID, lookAt),
      turnOf(UUID, () => ({ outcome: 'parked', detail: 'Another order has the uuid of the message' })),
      turnOf(uuidOf(3), lookAt),
      turnOf(uuidOf(4), surprise),
    ];
    const moving = [
      turnOf(UUID, (ledger = before) => ({ outcome: 'accepted', ledger: created(ledger, NOW) })),
      turnOf(uuidOf(2), () => ({ outcome: 'accepted', ledger: drawn })),
    ];
    await takeTurns(pipeline, 'order', still, { ...ports, observe });
    expect(told).to.deep.equal([]);
    await takeTurns(pipeline, 'order', [...still, ...moving], { ...ports, observe });
    expect(told).to.deep.equal([
      {
        kind: 'commit',
        by: 'order',
        ledgers: [
          { before, after: created(before, NOW) },
          { before: undefined, after: drawn },
        ],
      },
    ]);
  });

  it('tell the publication that failed from the one that did not', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
    ports.deafTopics.add('frontend');
    const [first] = await takeTurns(pipeline, 'frontend', [turnOf(UUID, lookAt)], ports);
    expect(first).to.have.nested.property('publishError.message', 'The broker is away');
    ports.deafTopics.clear();
    expect(await takeTurns(pipeline, 'frontend', [turnOf(UUID, lookAt)], ports)).to.deep.equal([
      { turn: { outcome: 'duplicate', ledger: aLedger() } },
    ]);
  });

  it('[anomaly 21] of a worker that wakes after its lease leave no trace: the version refuses its commit', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
    const createIt: LedgerTask['take'] = (ledger = aLedger(), _documents, now) =>
      ledger.status === 'RECEIVED'
        ? { outcome: 'accepted', ledger: created(ledger, now) }
        : { outcome: 'duplicate', ledger };
    // Between its decision and its commit the worker sleeps, and another one takes the redelivered message.
    ports.store.commitFaults.push(async () => {
      await takeTurns(pipeline, 'order', [turnOf(UUID, createIt)], ports);
    });
    const [late] = await ports.clock.finish(takeTurns(pipeline, 'order', [turnOf(UUID, createIt)], ports));
    expect(late).to.have.nested.property('turn.outcome', 'duplicate');
    expect(ports.store.commits).to.have.length(1);
    expect((await readOne(ports.store, ledgerPath(UUID)))?.history).to.have.length(2);
  });

  const spoiled: [what: string, fields: object][] = [
    ['an empty history', { ...aLedger(), history: [] }],
    ['no history', { ...aLedger(), history: undefined }],
    ['a status that nobody knows', { ...aLedger(), status: 'LOST' }],
    ['a step that was never done', { ...aLedger(), lines: LINES }],
    ['nothing in it', {}],
    ['a payment-error that is no JSON', { ...aLedger(), paymentError: 'please' }],
  ];
  for (const [what, fields] of spoiled) {
    it(`[anomaly 23] fail alone over a ledger with ${what}: the others are committed and announced`, async () => {
      const good = aLedger({ uuid: uuidOf(2) });
      const ports = await recordedPorts({ [ledgerPath(UUID)]: fields, [ledgerPath(good.uuid)]: good });
      const [bad, fine] = await takeTurns(
        pipeline,
        'frontend',
        [turnOf(UUID, lookAt), turnOf(good.uuid, lookAt)],
        ports,
      );
      expect(bad && 'error' in bad && bad.error).to.be.an.instanceOf(MalformedLedger);
      expect(fine).to.deep.equal({ turn: { outcome: 'duplicate', ledger: good } });
      expect(ports.published).to.deep.equal([messageFor(pipeline, good)]);
    });
  }

  it("[anomaly 23] read nothing more for a ledger that can't be right, and ask nobody what to do with it", async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: { ...aLedger(), history: [] } });
    const asked: unknown[] = [];
    const task = turnOf(
      UUID,
      (ledger) => {
        asked.push(ledger);
        return { outcome: 'ignored' };
      },
      { reads: (_ledger, known) => (known.has(ledgerPath(UUID)) ? [WIDGET] : []) },
    );
    await takeTurns(pipeline, 'inventory', [task], ports);
    expect([asked, new Set(ports.store.reads.flat())]).to.deep.equal([[], new Set([ledgerPath(UUID)])]);
  });
});
