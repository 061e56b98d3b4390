import { expect } from 'chai';
import { z } from 'zod';
import { orderRecords } from '../../order/order-records.ts';
import { pipeline } from '../../pipeline.ts';
import { customers } from '../../shop/customers.ts';
import { stock } from '../../shop/stock.ts';
import { aLedgerThatIs, anOrder, documentsOf, LATER, NOW, UUID } from '../../test/support/builders.ts';
import { finishedOrder } from '../../test/support/finished-order.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { takeTurns } from '../deliver/turns.ts';
import { deadlineOf, isOverdue } from '../ledger/deadline.ts';
import { statusIn, transitionsOf } from '../ledger/history.ts';
import {
  type Ledger,
  ledgerPath,
  PAUSED,
  pause,
  receive,
  shardOf,
  tombstone,
  unpause,
} from '../ledger/ledger.ts';
import { ledgerAt } from '../ledger/ledger-at.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import { type Path, readOne } from '../ports/store.ts';
import { document } from '../step/document.ts';
import { holdsOf, recordsIn } from '../step/holds.ts';
import { movementsOf } from '../step/movements.ts';
import { defineSaga, type Saga } from '../step/saga.ts';
import type { Step } from '../step/step.ts';
import { forkTask, forkUuid } from './fork.ts';

const alice = { by: 'janitor', person: 'alice', note: 'The wrong size was sent' };
const { ledger: origin, documents } = finishedOrder();
const world = (changes: Readonly<Record<Path, object>> = {}): Record<Path, object> => ({
  ...Object.fromEntries(documents),
  ...changes,
});
const FORK = forkUuid(UUID, 'CREATED');

/** Lets joe's finished order be forked, later, where it stood as `status`. */
async function fork(
  status: string,
  changes: Readonly<Record<Path, object>> = {},
  gone?: Path,
  saga: Saga = pipeline,
) {
  const there = Object.entries(world(changes)).filter(([path]) => path !== gone);
  const ports = { ...(await recordedPorts(Object.fromEntries(there))), clock: createManualClock(LATER) };
  const [taken] = await takeTurns(saga, 'janitor', [forkTask(saga, UUID, status, alice)], ports);
  if (taken === undefined || 'error' in taken) throw taken?.error;
  const read = async (path: Path) =>
    (await readOne(ports.store, path)) as Record<string, unknown> | undefined;
  return { ports, turn: taken.turn, read, ledger: taken.turn.ledger as Ledger };
}

describe('A fork of an order', () => {
  for (const status of ['RECEIVED', 'CREATED', 'RESERVED', 'PAID']) {
    it(`goes on as ${status}, with all that happened up to there, and by whose wish`, async () => {
      const { turn, ledger } = await fork(status);
      const statuses = origin.history.map(statusIn);
      const before = statuses.slice(0, statuses.indexOf(status) + 1);
      expect([turn.outcome, ledger.status, ledger.uuid]).to.deep.equal([
        'steered',
        status,
        forkUuid(UUID, status),
      ]);
      expect(ledger.history.map(statusIn)).to.deep.equal([...before, PAUSED, status]);
      expect(transitionsOf(ledger).at(-2)).to.deep.equal({ at: LATER, status: PAUSED, ...alice });
      expect(ledger.shard).to.equal(shardOf(ledger.uuid));
      expect(readLedger(pipeline, ledger.uuid, ledger)).to.deep.equal({ ledger });
    });

    it(`as ${status} takes all that it holds in the same commit, and announces that it goes on`, async () => {
      const { ledger, read, ports } = await fork(status);
      for (const { path, fields } of recordsIn(holdsOf(pipeline, ledger))) {
        expect(await read(path), path).to.deep.equal(fields);
      }
      expect(ports.journal[0]).to.equal('commit');
      expect(ports.journal.slice(1)).to.deep.equal(
        pipeline.topicsAgain(ledger).map((topic) => `publish ${topic}`),
      );
    });
  }

  it('holds the stock and the credit of its own, besides that of the first order', async () => {
    const { read } = await fork('PAID');
    const loaded = (path: Path) => documents.get(path) as { quantity: number; credit: number };
    const { charged } = origin as Ledger & { charged: number };
    expect(await read('inventory/widget')).to.include({ quantity: loaded('inventory/widget').quantity - 2 });
    expect(await read('users/joe')).to.include({ credit: loaded('users/joe').credit - charged });
  });

  it('and its origin name each other', async () => {
    const { read, ledger } = await fork('CREATED');
    expect(ledger.forkOf).to.deep.equal({ uuid: UUID, at: LATER });
    expect(await read(ledgerPath(UUID))).to.deep.equal({ ...origin, forks: [FORK] });
    expect(readLedger(pipeline, UUID, { ...origin, forks: [FORK] })).to.have.property('ledger');
  });

  it('is one, however often it is asked for', async () => {
    const { ports, ledger } = await fork('CREATED');
    const again = await takeTurns(pipeline, 'janitor', [forkTask(pipeline, UUID, 'CREATED', alice)], ports);
    expect(again).to.deep.equal([{ turn: { outcome: 'duplicate', ledger } }]);
    expect(await readOne(ports.store, ledgerPath(UUID))).to.deep.equal({ ...origin, forks: [FORK] });
  });

  it('is the same one still after its origin was made malformed by hand', async () => {
    const { ledger } = await fork('CREATED');
    const spoiled = { [ledgerPath(UUID)]: { ...origin, history: [] }, [ledgerPath(FORK)]: ledger };
    const { turn } = await fork('CREATED', spoiled);
    expect(turn).to.deep.equal({ outcome: 'duplicate', ledger });
  });

  it('begins its deadlines anew, however old its origin is', async () => {
    const shortLived = { ...pipeline, lifetimeSeconds: 1_000 } as Saga;
    const { ledger } = await fork('CREATED');
    const since = ledger.forkOf?.at.getTime() ?? 0;
    const old = { ...ledger, createdAt: new Date(0), deadlineSeconds: 86_400 };
    expect(deadlineOf(shortLived, old)).to.deep.equal(new Date(since + 1_000_000));
    expect(isOverdue(pipeline, ledger, new Date(since))).to.equal(false);
  });

  it('begins no earlier than what it repeats, though clocks differ', async () => {
    const ahead = new Date(LATER.getTime() + 60_000);
    const history = origin.history.map((line) => line.replace(/^\S+/, ahead.toISOString()));
    const { ledger } = await fork('CREATED', {
      [ledgerPath(UUID)]: { ...origin, history, createdAt: ahead },
    });
    expect(ledger.forkOf?.at).to.deep.equal(ahead);
    expect(readLedger(pipeline, ledger.uuid, ledger)).to.deep.equal({ ledger });
  });

  it('has no past of its own before it was made', async () => {
    const { ledger } = await fork('PAID');
    const madeAt = ledger.forkOf?.at as Date;
    const before = new Date(madeAt.getTime() - 1);
    expect([ledgerAt(pipeline, ledger, before), ledgerAt(pipeline, ledger, madeAt)?.status]).to.deep.equal([
      undefined,
      'PAID',
    ]);
    const moved = movementsOf(pipeline, ledger, [stock.of('widget')]);
    expect(moved.map(({ transition, amounts }) => [transition.status, amounts])).to.deep.equal([
      [PAUSED, [2]],
    ]);
  });

  it('is nothing if another order has its uuid', async () => {
    const stranger = receive(pipeline, FORK, anOrder(), 'frontend', NOW, 900);
    const { turn, ports } = await fork('CREATED', { [ledgerPath(FORK)]: stranger });
    expect([turn.outcome, turn.detail, ports.journal]).to.deep.equal([
      'unheeded',
      'Another order has the uuid of this fork',
      [],
    ]);
  });

  it('is not made, and nothing is written, if an account has too little left', async () => {
    const { turn, ports } = await fork('PAID', {
      'inventory/widget': { ...documents.get('inventory/widget'), quantity: 1 },
    });
    expect(turn).to.deep.equal({
      outcome: 'unheeded',
      detail: 'item widget has quantity 1, which is less than 2',
    });
    expect(ports.journal).to.deep.equal([]);
  });

  it('[anomaly 57] is not made, and nothing is written, if its customer is gone', async () => {
    for (const status of ['CREATED', 'RESERVED']) {
      const { turn, ports } = await fork(status, {}, 'users/joe');
      expect(turn).to.deep.equal({ outcome: 'unheeded', detail: 'There is no user joe' });
      expect(ports.journal).to.deep.equal([]);
    }
  });

  it('[anomaly 57] is not made, and nothing is written, if its customer is erased and has credit', async () => {
    const erased = { 'users/joe': { ...documents.get('users/joe'), erasedAs: UUID } };
    for (const status of ['CREATED', 'RESERVED', 'PAID']) {
      const { turn, ports } = await fork(status, erased);
      expect(turn).to.deep.equal({ outcome: 'unheeded', detail: 'The customer is being erased, or was' });
      expect(ports.journal).to.deep.equal([]);
    }
  });

  it('is made although something is gone that its steps can do without', async () => {
    const notices = document({ name: 'notice', path: 'notices/{user}', schema: z.object({}) });
    const [create, ...others] = pipeline.steps;
    const reads: Step['reads'] = () => [notices.of('joe'), customers.of('joe')];
    const watchful = { ...create, uses: [customers, orderRecords, notices], reads };
    const saga = defineSaga({ ...pipeline, steps: [watchful, ...others] } as never) as Saga;
    expect((await fork('CREATED', {}, undefined, saga)).turn.outcome).to.equal('steered');
    expect((await fork('CREATED', {}, 'users/joe', saga)).turn.outcome).to.equal('unheeded');
  });

  it('of a canceled order can take another way than its origin did', async () => {
    const canceled = aLedgerThatIs('CANCELED', {}, pipeline);
    const { ledger } = await fork('RESERVED', { [ledgerPath(UUID)]: canceled });
    expect(ledger.status).to.equal('RESERVED');
    expect(ledger).not.to.have.any.keys('reason', 'detail');
  });

  it('of an order that was paused there goes on from there all the same', async () => {
    const stopped = pause(pipeline, aLedgerThatIs('CREATED'), { ...alice, now: NOW });
    const resumed = unpause(pipeline, stopped, { ...alice, now: NOW });
    const history = [...resumed.history, ...origin.history.slice(2)];
    const detour = { [ledgerPath(UUID)]: { ...origin, history } };
    const { ledger } = await fork('CREATED', detour);
    expect(ledger.history.map(statusIn)).to.deep.equal(['RECEIVED', 'CREATED', PAUSED, 'CREATED']);
    expect((await fork('DELIVERED', detour)).turn.detail).to.equal(
      'An order can go on from RECEIVED, CREATED, RESERVED, PAID, and not from DELIVERED',
    );
  });
});

describe('No fork is made', () => {
  const detailFor = (ledger: Ledger | undefined, status: string) => {
    const path = ledgerPath(UUID);
    const found = documentsOf(ledger === undefined ? {} : { [path]: ledger });
    return forkTask(pipeline, UUID, status, alice).take(undefined, found, LATER);
  };

  for (const status of pipeline.statuses.filter((one) => !['DELIVERED', 'CANCELED'].includes(one))) {
    it(`of an order that is ${status}: it has not come to its end`, () => {
      expect(detailFor(aLedgerThatIs(status), 'CREATED')).to.deep.equal({
        outcome: 'unheeded',
        detail: `The order is ${status}: only one that has come to its end can be forked`,
      });
    });
  }

  it('where the order never was, or where no step comes next; what is possible is said', () => {
    for (const status of ['DELIVERED', 'RESUMED', 'WAITING', 'NOWHERE']) {
      expect(detailFor(origin, status).detail).to.equal(
        `An order can go on from RECEIVED, CREATED, RESERVED, PAID, and not from ${status}`,
      );
    }
  });

  it('of an order that never came', () => {
    const failure = { by: 'janitor', reason: 'PAYMENT_ERROR', detail: 'No', now: LATER };
    expect(detailFor(tombstone(pipeline, UUID, failure, 900), 'RECEIVED').detail).to.equal(
      'The order never came',
    );
    expect(detailFor(undefined, 'RECEIVED')).to.deep.equal({ outcome: 'ignored' });
  });
});
