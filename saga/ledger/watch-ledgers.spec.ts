import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedger, learnedBy, NOW, uuidOf } from '../../test/support/builders.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import type { Changes, Store, StoredDocument, StoreError } from '../ports/store.ts';
import { historyLine, statusIn } from './history.ts';
import { advance, type Ledger, ledgerPath } from './ledger.ts';
import { type MovedOrder, movesOf, watchLedgers } from './watch-ledgers.ts';

/** A store that tells what the spec says, and nothing by itself. */
function scene() {
  const shards: {
    changes: Changes;
    tell: (documents: readonly StoredDocument[]) => void;
    isOpen: boolean;
  }[] = [];
  let fail: (error: StoreError) => void = () => {};
  const store = {
    watchChanges(changes: Changes, tell: (typeof shards)[number]['tell'], failed: typeof fail) {
      const shard = { changes, tell, isOpen: true };
      shards.push(shard);
      fail = failed;
      return {
        close() {
          shard.isOpen = false;
        },
      };
    },
  } as unknown as Store;
  const told: [string, ...string[]][] = [];
  let isReady = false;
  const tellOf = ({ ledger, told: known }: MovedOrder) =>
    told.push([ledger.uuid, ...ledger.history.slice(known).map(statusIn)]);
  const watching = watchLedgers(
    { store, clock: createManualClock() },
    {
      ready() {
        isReady = true;
      },
      tell: (moved) => moved.forEach(tellOf),
      fail() {},
    },
  );
  const document = (ledger: object): StoredDocument => ({
    path: ledgerPath(String((ledger as Ledger).uuid)),
    fields: ledger,
  });
  return {
    shards,
    watching,
    isReady: () => isReady,
    tell: (...ledgers: object[]) => shards[0]?.tell(ledgers.map(document)),
    /** What was told since this was last asked. */
    told: () => told.splice(0),
    begin(...ledgers: object[]) {
      for (const { tell } of shards.slice(1)) tell([]);
      shards[0]?.tell(ledgers.map(document));
    },
  };
}

const received = (number = 1): Ledger => ({ ...aLedger(), uuid: uuidOf(number) });
function next(ledger: Ledger, seconds: number): Ledger {
  const step = pipeline.steps.find(({ name }) => pipeline.stepsAt(ledger).some((one) => one.name === name));
  if (step === undefined) throw new Error('Nothing follows');
  const now = new Date(NOW.getTime() + 1000 * seconds);
  return advance(pipeline, ledger, { step: step.name, by: step.name, learned: learnedBy(step, ledger), now });
}

describe('Whoever watches all orders', () => {
  it('is ready once all shards have said what there was, of which nothing is told', () => {
    const { shards, isReady, begin, told } = scene();
    for (const { tell } of shards.slice(1)) tell([]);
    expect(isReady()).to.equal(false);
    begin(received());
    expect([isReady(), told()]).to.deep.equal([true, []]);
    const [{ changes }] = shards as [(typeof shards)[0]];
    expect(changes.since.getTime()).to.equal(NOW.getTime() - 10_000);
  });

  it('is told each transition once, those of one order together if they come fast, and none again', () => {
    const { begin, tell, told } = scene();
    const [first, other] = [received(), received(2)];
    begin(first);
    const created = next(first, 1);
    const paid = next(next(created, 2), 3);
    tell(created);
    tell(created, other);
    expect(told()).to.deep.equal([
      [uuidOf(1), 'CREATED'],
      [uuidOf(2), 'RECEIVED'],
    ]);
    tell(paid);
    tell(paid);
    expect(told()).to.deep.equal([[uuidOf(1), 'RESERVED', 'PAID']]);
  });

  it('is told only what is new of an order that had stood still for long', () => {
    const { begin, tell, told } = scene();
    begin();
    const old = [historyLine('RECEIVED', 'frontend', new Date(NOW.getTime() - 3_600_000))];
    tell(next({ ...received(), history: old }, 1));
    expect(told()).to.deep.equal([[uuidOf(1), 'CREATED']]);
  });

  it('is not told of a fork what it has of the other order', () => {
    const { begin, tell, told } = scene();
    begin();
    const at = new Date(NOW.getTime() + 5_000);
    const { history } = next(next(received(), 1), 2);
    const lines = [historyLine('PAUSED', 'janitor', at), historyLine('RESERVED', 'janitor', at)];
    tell({ ...received(2), history: [...history, ...lines], forkOf: { uuid: uuidOf(1), at } });
    expect(told()).to.deep.equal([[uuidOf(2), 'PAUSED', 'RESERVED']]);
  });

  /** An order that was received so many seconds after NOW, and was created then, or was not. */
  const orderOf = (number: number, receivedAt: number, createdAt?: number) => {
    const at = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds);
    return {
      uuid: uuidOf(number),
      history: [
        historyLine('RECEIVED', 'frontend', at(receivedAt)),
        ...(createdAt === undefined ? [] : [historyLine('CREATED', 'order', at(createdAt))]),
      ],
    };
  };
  /** So many others, received long before. */
  const { history } = orderOf(0, -9);
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ uuid: uuidOf(index + 9), history }));

  it('remembers a bounded number of orders, and counts none of them again', () => {
    for (const [others, late] of [
      [49_999, [[uuidOf(1), 'CREATED']]],
      // It was forgotten, and what is older than the last of those is taken for told.
      [50_000, []],
    ] as const) {
      const { begin, tell, told } = scene();
      begin();
      tell(orderOf(1, -3));
      tell(...crowd(others));
      told();
      tell(orderOf(1, -3, -3));
      expect(told()).to.deep.equal(late);
    }
  });

  it('tells an order that was forgotten no second time, even if one that moved earlier is forgotten behind it', () => {
    const { begin, tell, told } = scene();
    begin();
    tell(orderOf(1, 0), orderOf(2, -6), ...crowd(50_000));
    told();
    tell(orderOf(1, 0));
    tell(orderOf(1, 0, 1));
    expect(told()).to.deep.equal([[uuidOf(1), 'CREATED']]);
  });

  it('tells what others write even if an order is forgotten whose writer has a clock that is ahead', () => {
    const { begin, tell, told } = scene();
    begin();
    tell(orderOf(1, 60), ...crowd(50_000));
    told();
    tell(orderOf(2, 1));
    expect(told()).to.deep.equal([[uuidOf(2), 'RECEIVED']]);
  });

  it('knows which statuses an order has entered and left since it was last told, and that a fork never had those of its origin', () => {
    const moved = (told: number, ...statuses: string[]): MovedOrder => {
      const history = statuses.map((status) => historyLine(status, 'order', NOW));
      return { told, ledger: { ...received(), history } };
    };
    const { ledger, told } = moved(2, 'RECEIVED', 'CREATED', 'PAUSED', 'CREATED', 'RESERVED');
    const fork = { ...ledger, forkOf: { uuid: uuidOf(2), at: NOW } };
    expect([
      movesOf(moved(0, 'RECEIVED', 'CREATED')),
      movesOf(moved(1, 'RECEIVED', 'CREATED', 'RESERVED')),
      movesOf({ ledger: fork, told }),
      movesOf({ ledger: fork, told: 4 }),
    ]).to.deep.equal([
      { entered: ['RECEIVED', 'CREATED'], left: ['RECEIVED'] },
      { entered: ['CREATED', 'RESERVED'], left: ['RECEIVED', 'CREATED'] },
      { entered: ['PAUSED', 'CREATED', 'RESERVED'], left: ['PAUSED', 'CREATED'] },
      { entered: ['RESERVED'], left: ['CREATED'] },
    ]);
  });

  it('[anomaly 54] passes over what somebody has edited until its history can not be read', () => {
    const { begin, tell, told } = scene();
    const nonsense = [
      {},
      { uuid: 1 },
      { ...received(), history: 'x' },
      { ...received(), history: [] },
      { ...received(), history: [1] },
      { ...received(), history: [...received().history, 1] },
      { ...received(), uuid: 1 },
      { ...received(), forkOf: {} },
      { ...received(), forkOf: null },
    ];
    begin(...nonsense.slice(0, 5));
    tell(...nonsense, received(2));
    expect(told()).to.deep.equal([[uuidOf(2), 'RECEIVED']]);
  });

  it('closes every shard', () => {
    const { shards, watching } = scene();
    watching.close();
    expect(shards.map(({ isOpen }) => isOpen)).to.deep.equal(Array(8).fill(false));
  });
});
