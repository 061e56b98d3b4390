import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Store } from '../../saga/ports/store.ts';
import { type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

/**
 * What an order costs: Firestore bills by document, and an order's documents cost some fifty times what its messages
 * do. The documents that orders share (an item, a customer) count once a batch, however many orders are in it.
 */
describe('The cost of an order', () => {
  const isShared = (path: string) => /^(users|inventory)\/[^/]+$/.test(path);

  function countingStore(
    store: Store,
    counts: { reads: number; writes: number; sharedReads: number; sharedWrites: number },
  ): Store {
    return {
      ...store,
      read(paths) {
        counts.sharedReads += paths.filter(isShared).length;
        counts.reads += paths.filter((path) => !isShared(path)).length;
        return store.read(paths);
      },
      commit(writes) {
        counts.sharedWrites += writes.filter(({ path }) => isShared(path)).length;
        counts.writes += writes.filter(({ path }) => !isShared(path)).length;
        return store.commit(writes);
      },
    };
  }

  /** What orders cost that are placed by `place`, which says their uuids. */
  async function costOf(place: (pipeline: Pipeline) => Promise<string[]>) {
    const counts = { reads: 0, writes: 0, sharedReads: 0, sharedWrites: 0 };
    const backend = { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) };
    const pipeline = await startPipeline(backend, ({ store }) => ({ store: countingStore(store, counts) }));
    Object.assign(counts, { reads: 0, writes: 0, sharedReads: 0, sharedWrites: 0 });
    const uuids = await place(pipeline);
    await pipeline.bus.idle();
    const ledgers = await Promise.all(uuids.map(pipeline.ledger));
    await pipeline.close();
    expect(ledgers.map((ledger) => ledger?.status)).to.deep.equal(uuids.map(() => 'PAID'));
    return counts;
  }

  const ORDER = { item: 'widget', quantity: 1, user: 'joe' };

  it('is at most 7 written and 3 read documents, and the shared ones: 2 written, 3 read', async () => {
    const cost = await costOf(async (pipeline) => [(await pipeline.post('/order', ORDER)).body.uuid]);
    expect(cost).to.deep.equal({ reads: 3, writes: 7, sharedReads: 3, sharedWrites: 2 });
  });

  it('[anomaly 33] counts the shared documents once for all orders that arrive together', async () => {
    const uuids = Array.from({ length: 10 }, () => uuidv4());
    const cost = await costOf(async (pipeline) => {
      const orders = uuids.map((uuid) => Buffer.from(JSON.stringify({ uuid, ...ORDER })));
      await pipeline.bus.publish(orders.map((data) => ({ topic: 'frontend', data, attributes: {} })));
      return uuids;
    });
    // Without the frontend, one write less each.
    expect(cost).to.deep.equal({ reads: 30, writes: 60, sharedReads: 3, sharedWrites: 2 });
  });
});
