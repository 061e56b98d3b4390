import { expect } from 'chai';
import type { Status } from '../pipeline.ts';
import { historyLine } from '../saga/ledger/history.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import { aLedgerThatIs, uuidOf } from '../test/support/builders.ts';
import { createLiveReader } from './live-reader.ts';

const created = aLedgerThatIs('CREATED');

/** An order that has come to a status, and of which all transitions but the last were told. */
function moved(number: number, status: Status) {
  const ledger = {
    ...(status === 'CREATED' ? created : aLedgerThatIs(status)),
    uuid: uuidOf(number),
  } as Ledger;
  return { ledger, told: ledger.history.length - 1 };
}

describe('What a reader of all orders has not been sent yet', () => {
  it('is a tally at first, so that the reader knows that it sees everything from now on', () => {
    const reader = createLiveReader({});
    expect(reader.take()).to.deep.equal({
      orders: [],
      tally: { entered: {}, left: {}, skipped: 0 },
      counts: undefined,
    });
    expect([reader.isBehind(), reader.take()]).to.deep.equal([
      false,
      { orders: [], tally: undefined, counts: undefined },
    ]);
  });

  it('is each order once, in its newest state, however often it has moved, and every transition in the tally', () => {
    const reader = createLiveReader({});
    for (const [number, status] of [
      [1, 'CREATED'],
      [2, 'CREATED'],
      [1, 'RESERVED'],
    ] as const) {
      reader.note(moved(number, status));
    }
    const { orders, tally } = reader.take();
    expect(orders.map(({ uuid, status }) => [uuid, status])).to.deep.equal([
      [uuidOf(1), 'RESERVED'],
      [uuidOf(2), 'CREATED'],
    ]);
    expect(tally).to.deep.equal({
      entered: { CREATED: 2, RESERVED: 1 },
      left: { RECEIVED: 2, CREATED: 1 },
      skipped: 0,
    });
  });

  it('[anomaly 45] is bounded: the oldest are left out and counted, and the transitions are exact', () => {
    const reader = createLiveReader({});
    for (let number = 0; number < 10_000; number++) reader.note(moved(number, 'CREATED'));
    const shown: string[] = [];
    let tally: unknown;
    for (let portion = reader.take(); portion.orders.length > 0; portion = reader.take()) {
      expect(portion.orders.length).to.be.at.most(50);
      shown.push(...portion.orders.map(({ uuid }) => uuid));
      tally ??= portion.tally;
    }
    expect(shown).to.deep.equal(Array.from({ length: 500 }, (_, index) => uuidOf(9_500 + index)));
    expect(tally).to.deep.equal({
      entered: { CREATED: 10_000 },
      left: { RECEIVED: 10_000 },
      skipped: 9_500,
    });
  });

  it('is what concerns one customer, or the orders that come to a status or leave it', () => {
    const [of, to] = [createLiveReader({ user: 'joe' }), createLiveReader({ status: 'CREATED' })];
    const joes = moved(1, 'RESERVED');
    const foreign = moved(2, 'PAID');
    for (const reader of [of, to]) {
      reader.note({ ...joes, ledger: { ...joes.ledger, user: 'joe' } as Ledger });
      reader.note(foreign);
      reader.note(moved(3, 'CREATED'));
    }
    const uuids = (orders: readonly Ledger[]) => orders.map(({ uuid }) => uuid);
    const [ofJoe, ofStatus] = [of.take(), to.take()];
    expect([uuids(ofJoe.orders), ofJoe.tally?.entered]).to.deep.equal([[uuidOf(1)], { RESERVED: 1 }]);
    expect([uuids(ofStatus.orders), ofStatus.tally]).to.deep.equal([
      [uuidOf(1), uuidOf(3)],
      { entered: { CREATED: 1 }, left: { CREATED: 1 }, skipped: 0 },
    ]);
  });

  it('is of a fork only what became of the fork itself', () => {
    const reader = createLiveReader({});
    const { ledger, told } = moved(1, 'RESERVED');
    const at = new Date('2026-02-01T00:00:00.000Z');
    const lines = [historyLine('PAUSED', 'janitor', at), historyLine('RESERVED', 'janitor', at)];
    const history = [...ledger.history, ...lines];
    reader.note({ ledger: { ...ledger, history, forkOf: { uuid: uuidOf(2), at } }, told: told + 1 });
    expect(reader.take().tally).to.deep.include({ entered: { PAUSED: 1, RESERVED: 1 }, left: { PAUSED: 1 } });
  });

  it('is what moved while it was away, but nothing older than what it is about to be sent', () => {
    const reader = createLiveReader({});
    reader.note(moved(1, 'PAID'));
    for (const number of [1, 2]) reader.catchUp(moved(number, 'CREATED').ledger);
    const { orders, tally } = reader.take();
    expect(orders.map(({ status }) => status)).to.deep.equal(['PAID', 'CREATED']);
    expect(tally?.entered).to.deep.equal({ PAID: 1 });
  });
});
