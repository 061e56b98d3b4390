import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedger, aLedgerThatIs, learnedBy, NOW, uuidOf } from '../../test/support/builders.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import type { Changes, Store, StoredDocument, StoreError } from '../ports/store.ts';
import { historyLine, statusIn } from './history.ts';
import { advance, type Ledger, ledgerPath } from './ledger.ts';
import { type MovedOrder, watchLedgers } from './watch-ledgers.ts';

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

  it('remembers a bounded number of orders, and counts none of them again', () => {
    const { begin, tell, told } = scene();
    begin();
    const first = received(1);
    tell(first);
    const { history } = aLedgerThatIs('RECEIVED');
    tell(...Array.from({ length: 50_001 }, (_, index) => ({ uuid: uuidOf(index + 2), history })));
    told();
    tell(first);
    tell(next(first, 1));
    expect(told()).to.deep.equal([[uuidOf(1), 'CREATED']]);
  });

  it('[anomaly 54] passes over what somebody has edited until its history can not be read', () => {
    const { begin, tell, told } = scene();
    const nonsense = [
      {},
      { uuid: 1 },
      { ...received(), history: 'x' },
      { ...received(), history: [] },
      { ...received(), history: [1] },
      { ...received(), forkOf: {} },
      { ...received(), forkOf: null },
    ];
    begin(...nonsense);
    tell(...nonsense, received(2));
    expect(told()).to.deep.equal([[uuidOf(2), 'RECEIVED']]);
  });

  it('closes every shard', () => {
    const { shards, watching } = scene();
    watching.close();
    expect(shards.map(({ isOpen }) => isOpen)).to.deep.equal(Array(8).fill(false));
  });
});
