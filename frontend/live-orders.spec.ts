import { expect } from 'chai';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { createManualClock } from '../test/support/manual-clock.ts';
import { createLiveOrders } from './live-orders.ts';

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
    const live = createLiveOrders({ store, clock, log: () => {} }, new AbortController().signal);
    const left = new AbortController();
    const following = live.follow({}, undefined, left.signal);
    const fault = await clock.finish(following.catch(({ kind }) => kind));
    expect(fault).to.equal('unavailable');
    expect(clock.pausesMs).to.deep.equal([10_000]);
    expect(closedCount).to.equal(0);
    // Its request is answered, and over.
    left.abort();
    expect(closedCount).to.be.above(0);
  });
});
