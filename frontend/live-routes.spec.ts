import { expect } from 'chai';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { pipeline } from '../pipeline.ts';
import type { HttpRequest } from '../saga/http/http.ts';
import { StoreError } from '../saga/ports/store.ts';
import { createManualClock } from '../test/support/manual-clock.ts';
import { countsRoute } from './live-routes.ts';

describe('The numbers of orders', () => {
  const asking = (user?: string) => ({ query: { user } }) as HttpRequest as never;

  it('are counted once for all who ask within a moment, for each customer by itself', async () => {
    const clock = createManualClock();
    let countedCount = 0;
    const store = {
      ...createMemoryStore(),
      async count() {
        countedCount++;
        return 1;
      },
    };
    const { handle } = countsRoute(pipeline, { store, clock });
    const all = pipeline.statuses.length;
    await Promise.all([handle(asking()), handle(asking())]);
    expect(countedCount).to.equal(all);
    await handle(asking('joe'));
    expect(countedCount).to.equal(2 * all);
    await clock.finish(new Promise<void>((resolve) => clock.after(250, resolve)));
    await handle(asking());
    expect(countedCount).to.equal(3 * all);
  });

  it('are asked for again after the store has failed', async () => {
    let fails = true;
    const store = {
      ...createMemoryStore(),
      async count() {
        if (fails) throw new StoreError('unavailable', 'away');
        return 1;
      },
    };
    const { handle } = countsRoute(pipeline, { store, clock: createManualClock() });
    expect(await handle(asking()).catch(({ kind }) => kind)).to.equal('unavailable');
    fails = false;
    expect((await handle(asking())).status).to.equal(200);
  });
});
