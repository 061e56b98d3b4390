import { expect } from 'chai';
import { pipeline, type Status } from '../pipeline.ts';
import { type Ledger, ledgerPath } from '../saga/ledger/ledger.ts';
import type { MovedOrder } from '../saga/ledger/watch-ledgers.ts';
import { aLedgerThatIs, storeHolding, uuidOf } from '../test/support/builders.ts';
import { createLiveReader } from './live-reader.ts';
import { type Counts, countOrders, createInitialCounts } from './order-counts.ts';

const { statuses } = pipeline;

async function scene({ user }: { readonly user?: string } = {}) {
  const store = await storeHolding({});
  const initial = createInitialCounts(store, { statuses, user });
  const reader = createLiveReader({ user });
  const ledgers = new Map<number, Ledger>();

  return {
    initial,
    /** Commits an order that has come to a status. @returns what its watch will tell. */
    async move(number: number, status: Status, customer = 'jack'): Promise<MovedOrder> {
      const before = ledgers.get(number);
      const ledger = { ...aLedgerThatIs(status), user: customer, uuid: uuidOf(number) } as Ledger;
      const path = ledgerPath(ledger.uuid);
      await store.commit([{ kind: 'remove', path }]);
      await store.commit([{ kind: 'create', path, fields: ledger }]);
      ledgers.set(number, ledger);
      return { ledger, told: before?.history.length ?? 0 };
    },
    note(moved: MovedOrder) {
      initial.note(moved);
      reader.note(moved);
    },
    /** What a page shows: the first counts, and what the tally has counted since. */
    shown(counts: Counts): Counts {
      const { entered = {}, left = {} } = reader.take().tally ?? {};
      return Object.fromEntries(
        statuses.map((status) => [
          status,
          (counts[status] ?? 0) + (entered[status] ?? 0) - (left[status] ?? 0),
        ]),
      );
    },
    truth: async () => countOrders(await store.snapshot(), { statuses, user }),
  };
}

describe('The counts before the first moves', () => {
  it('are exact with what the tally counts, whenever orders move and whenever that is told', async () => {
    const { initial, move, note, shown, truth } = await scene();
    await move(1, 'RECEIVED');
    await move(2, 'CREATED');
    // The tally has begun. This is told before the orders are counted, and this after.
    note(await move(1, 'CREATED'));
    const late = [await move(2, 'RESERVED'), await move(3, 'CREATED')];
    await initial.read();
    for (const moved of late) note(moved);
    note(await move(3, 'RESERVED'));
    note(await move(4, 'RECEIVED'));
    note(await move(1, 'PAID'));
    const counts = shown(await initial.read());
    expect(counts).to.deep.equal(await truth());
    expect(counts).to.deep.include({ RECEIVED: 1, CREATED: 0, RESERVED: 2, PAID: 1 });
  });

  it('know an order from the moment at which it was counted, however often it moves meanwhile', async () => {
    const { initial, move, note, shown, truth } = await scene();
    const moves = [await move(1, 'RECEIVED'), await move(1, 'CREATED')];
    await initial.read();
    // What moves fast is told once, with all that happened.
    const last = await move(1, 'PAID');
    note({ ...last, told: moves[0]?.told ?? 0 });
    expect(shown(await initial.read())).to.deep.equal(await truth());
  });

  it('are those of one customer, if only theirs are followed', async () => {
    const { initial, move, note, shown, truth } = await scene({ user: 'joe' });
    note(await move(1, 'RECEIVED', 'joe'));
    note(await move(2, 'RECEIVED', 'jack'));
    await initial.read();
    note(await move(1, 'CREATED', 'joe'));
    note(await move(2, 'CREATED', 'jack'));
    const counts = shown(await initial.read());
    expect(counts).to.deep.equal(await truth());
    expect(counts).to.deep.include({ RECEIVED: 0, CREATED: 1 });
  });

  it('[anomaly 45] look up a bounded number of orders', async () => {
    const { initial, move } = await scene();
    const { ledger } = await move(20_000, 'RECEIVED');
    for (let number = 0; number < 10_000; number++) {
      initial.note({ ledger: { ...ledger, uuid: uuidOf(number) }, told: 0 });
    }
    initial.note({ ledger, told: 0 });
    expect(await initial.read()).to.include({ RECEIVED: 1 });
  });
});
