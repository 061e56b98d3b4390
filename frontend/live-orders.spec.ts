import { expect } from 'chai';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { ledgerPath } from '../saga/ledger/ledger.ts';
import type { Store } from '../saga/ports/store.ts';
import { aLedgerThatIs } from '../test/support/builders.ts';
import { createManualClock } from '../test/support/manual-clock.ts';
import { createLiveOrders } from './live-orders.ts';

const STATUSES = ['RECEIVED', 'CREATED'];

describe('Whoever follows all orders', () => {
  it('is not left to believe that nothing moves while the store does not say so', async () => {
    const clock = createManualClock();
    let closedCount = 0;
    // Its client tries again and again.
    const silent = () => ({
      close() {
        closedCount++;
      },
    });
    const store = { ...createMemoryStore(), watchChanges: silent };
    const live = createLiveOrders({ store, clock, log: () => {} }, STATUSES, new AbortController().signal);
    const left = new AbortController();
    const following = live.follow({}, left.signal);
    const fault = await clock.finish(following.catch(({ kind }) => kind));
    expect(fault).to.equal('unavailable');
    expect(clock.pausesMs).to.deep.equal([10_000]);
    expect(closedCount).to.equal(0);
    // Its request is answered, and over.
    left.abort();
    expect(closedCount).to.be.above(0);
  });

  it('gets counts that are made exact once all is told that was committed before the orders were counted', async () => {
    const clock = createManualClock();
    const memory = createMemoryStore();
    const before = aLedgerThatIs('RECEIVED');
    const after = { ...aLedgerThatIs('CREATED'), movedAt: clock.now() };
    const path = ledgerPath(before.uuid);
    await memory.commit([{ kind: 'create', path, fields: before }]);
    let tellLate = () => {};
    const store: Store = {
      ...memory,
      watchChanges(changes, tell, fail) {
        if (changes.where.shard !== after.shard) return memory.watchChanges(changes, tell, fail);
        queueMicrotask(() => tell([{ path, fields: before }]));
        tellLate = () => tell([{ path, fields: after }]);
        return { close() {} };
      },
      async snapshot() {
        await memory.commit([{ kind: 'remove', path }]);
        await memory.commit([{ kind: 'create', path, fields: after }]);
        return memory.snapshot();
      },
    };
    const live = createLiveOrders({ store, clock, log: () => {} }, STATUSES, new AbortController().signal);
    const left = new AbortController();
    const events = await live.follow({ counts: true }, left.signal);
    tellLate();
    const seen: object[] = [];
    const reading = (async () => {
      for await (const event of events) {
        if (!('ledger' in event)) seen.push(event);
        if (seen.length === 3) return;
      }
    })();
    await clock.finish(reading);
    expect(seen).to.deep.equal([
      { tally: { entered: { CREATED: 1 }, left: { RECEIVED: 1 }, skipped: 0 } },
      { counts: { RECEIVED: 0, CREATED: 1 } },
      { counts: { RECEIVED: 1, CREATED: 0 } },
    ]);
    left.abort();
  });
});
