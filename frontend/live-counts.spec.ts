import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Ledger, ledgerPath } from '../saga/ledger/ledger.ts';
import { StoreError } from '../saga/ports/store.ts';
import { aLedgerThatIs, storeHolding } from '../test/support/builders.ts';
import { createManualClock } from '../test/support/manual-clock.ts';
import { createLiveCounts } from './live-counts.ts';
import type { Counts } from './order-counts.ts';

const statuses = ['RECEIVED', 'CREATED'];
const created = aLedgerThatIs('CREATED') as Ledger;
const MOVED = { ledger: created, told: 1 };

async function scene() {
  const memory = await storeHolding({ [ledgerPath(created.uuid)]: created });
  const clock = createManualClock();
  const said: string[] = [];
  let snapshots = 0;
  let reads = 0;
  let isAway = false;
  const store = {
    async snapshot() {
      snapshots++;
      if (isAway) throw new StoreError('unavailable', 'away');
      const snapshot = await memory.snapshot();
      const read = async (paths: readonly string[]) => {
        reads++;
        if (isAway) throw new StoreError('unavailable', 'away');
        return snapshot.read(paths);
      };
      return { ...snapshot, read };
    },
  } as typeof memory;
  let closedCount = 0;
  const log = (_: unknown, message: string) => said.push(message);
  const counts = createLiveCounts({ store, clock, log }, { statuses }, () => {
    closedCount++;
  });
  /** What a reader was told, in the end. */
  const follow = () => {
    const told: Counts[] = [];
    return { told, leave: counts.follow((one) => told.push(one)) };
  };
  return {
    counts,
    clock,
    said,
    follow,
    snapshots: () => snapshots,
    reads: () => reads,
    closedCount: () => closedCount,
    away(now: boolean) {
      isAway = now;
    },
  };
}

describe('The live counts of orders', () => {
  it('are counted once for all readers, each of whom is told what there was when it came', async () => {
    const { counts, follow, snapshots } = await scene();
    const first = follow();
    await Promise.all([counts.begin(), counts.begin()]);
    expect(first.told).to.deep.equal([{ RECEIVED: 0, CREATED: 1 }]);
    counts.note({ ledger: { ...created, uuid: 'another' } as Ledger, told: 0 });
    const second = follow();
    await counts.begin();
    expect(second.told).to.deep.equal([{ RECEIVED: 0, CREATED: 2 }]);
    expect(snapshots()).to.equal(1);
  });

  it('are read again after ten seconds, for what is told late; then nothing more is looked up', async () => {
    const { counts, follow, clock, reads } = await scene();
    const { told } = follow();
    await counts.begin();
    // It was committed before the orders were counted.
    counts.note(MOVED);
    await clock.finish(until(() => told.length === 2));
    expect(told[1]).to.deep.equal({ RECEIVED: 1, CREATED: 0 });
    expect([clock.pausesMs, reads()]).to.deep.equal([[10_000], 1]);
  });

  it('are read again after another ten seconds where the store is away meanwhile, and that is logged', async () => {
    const { counts, follow, clock, said, away } = await scene();
    const { told } = follow();
    await counts.begin();
    counts.note(MOVED);
    away(true);
    await clock.finish(until(() => said.length === 1));
    away(false);
    await clock.finish(until(() => told.length === 2));
    expect(told[1]).to.deep.equal({ RECEIVED: 1, CREATED: 0 });
    expect(said).to.deep.equal(['frontend: the orders could not be counted again']);
  });

  it('are closed with their last reader, or where the store can not be read at all', async () => {
    const { counts, follow, clock, closedCount } = await scene();
    const [one, other] = [follow(), follow()];
    await counts.begin();
    one.leave();
    expect(closedCount()).to.equal(0);
    other.leave();
    other.leave();
    expect(closedCount()).to.equal(1);
    const alarm = await clock.finish(new Promise(() => {})).catch(({ message }) => message);
    expect(alarm).to.equal('This work waits for something that never happens');
    const unread = await scene();
    unread.away(true);
    unread.follow();
    expect(await unread.counts.begin().catch(({ kind }) => kind)).to.equal('unavailable');
    expect(unread.closedCount()).to.equal(1);
  });
});

/** Resolves once it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}
