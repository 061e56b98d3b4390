import { expect } from 'chai';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { pipeline } from '../pipeline.ts';
import type { HttpRequest } from '../saga/http/http.ts';
import { type Snapshot, type Store, StoreError } from '../saga/ports/store.ts';
import { countsRoute } from './live-routes.ts';

describe('The numbers of orders', () => {
  const storeThatCounts = (count: Snapshot['count']): Store => {
    const store = createMemoryStore();
    return { ...store, snapshot: async () => ({ ...(await store.snapshot()), count }) };
  };
  const asking = (user?: string) => ({ query: { user } }) as HttpRequest as never;

  it('are counted once for all who ask at the same time, for each customer by itself', async () => {
    let countedCount = 0;
    const store = storeThatCounts(async () => {
      countedCount++;
      return 1;
    });
    const { handle } = countsRoute(pipeline, store);
    const all = pipeline.statuses.length;
    await Promise.all([handle(asking()), handle(asking())]);
    expect(countedCount).to.equal(all);
    await handle(asking('joe'));
    expect(countedCount).to.equal(2 * all);
    await handle(asking());
    expect(countedCount).to.equal(3 * all);
  });

  it('are asked for again after the store has failed', async () => {
    let fails = true;
    const store = storeThatCounts(async () => {
      if (fails) throw new StoreError('unavailable', 'away');
      return 1;
    });
    const { handle } = countsRoute(pipeline, store);
    expect(await handle(asking()).catch(({ kind }) => kind)).to.equal('unavailable');
    fails = false;
    expect((await handle(asking())).status).to.equal(200);
  });
});
