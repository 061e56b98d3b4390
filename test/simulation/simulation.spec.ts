import { expect } from 'chai';
import { clockRange } from '../../test-kit/simulation/clocks.ts';
import { FAULT_KINDS, type FaultKind, type PlanLimits } from '../../test-kit/simulation/plan.ts';
import { runWorld } from '../../test-kit/simulation/run-world.ts';
import { shrink } from '../../test-kit/simulation/shrink.ts';
import { sampled } from '../support/thorough.ts';
import { expectNothing, findFault, told } from './search.ts';
import { drawShop, shop } from './shop.ts';

/** How many worlds with faults of every kind are run here; `npm run simulate` runs more. */
const SEED_COUNT = sampled(120, 40);
const SEED_COUNT_OF_KIND = sampled(15, 5);

async function expectNoFault(seedCount: number, limits: PlanLimits = {}): Promise<void> {
  const failed = await findFault(seedCount, limits);
  expectNothing(failed && told(await shrink(shop, failed)));
}

const harmless =
  (...kinds: readonly FaultKind[]) =>
  () =>
    expectNoFault(SEED_COUNT_OF_KIND, { kinds });

describe('In a simulated world no harm is done', function () {
  this.timeout(180_000);

  it('[anomalies 9, 15, 17, 32] by faults of all kinds at once, nor by every old message once more', () =>
    expectNoFault(SEED_COUNT));

  it('[anomaly 14] by other orders', harmless());
  it('[anomalies 1, 3, 6] by messages that are delivered twice', harmless('duplicate'));
  it('[anomalies 2, 18] by publications that fail or happen twice', harmless('publish'));
  it('[anomaly 4] by messages that come late and in another order', harmless('late'));
  it('[anomalies 5, 7, 8, 10] by messages before their cause or after the end', harmless('forged'));
  it('[anomalies 11, 18, 20, 36] by processes that die at any effect', harmless('crash'));
  it('[anomaly 16] by prices that change', harmless('edit'));
  it('[anomaly 19] by commits and reads that are answered with an error', harmless('commit', 'read'));
  it('[anomaly 20] by acks that are lost', harmless('lost ack'));
  it('[anomaly 21] by workers that wake after their lease', harmless('pause'));
  it('[anomalies 22, 23] by messages that nobody can read', harmless('poison'));
  it('[anomalies 27, 28] by sweeps and deadlines that race with the work', harmless('sweep', 'late'));
  it('[anomaly 53] by clocks that differ or jump, within the tolerance or beyond it', harmless('clock'));
  it(
    '[anomaly 53] by clocks that differ where sweeps, deadlines and crashes race with the work',
    harmless('clock', 'sweep', 'patrol', 'late', 'pause', 'crash', 'word'),
  );
  it('[anomaly 29] by customers who cancel at any moment', harmless('cancel'));
  it('[anomaly 37] by a store or a broker that is away for a while', harmless('store away', 'bus away'));
  it('[anomaly 38] by messages that somebody takes away', harmless('stolen'));
  it('[anomalies 27, 38] by patrols that race with the work', harmless('patrol', 'stolen'));
  it('by subscriptions that fall silent', harmless('silent'));
  it('[anomalies 31, 54, 56] by what operators do, and repairs, at any moment', harmless('deed', 'poison'));
  it('[anomaly 57] by customers who are erased at any moment, and nothing personal is left', () =>
    expectNoFault(SEED_COUNT_OF_KIND, {
      kinds: ['deed', 'crash', 'commit', 'forged', 'cancel'],
      deeds: ['erase', 'fork', 'cancel'],
    }));
});

describe('A simulated world', () => {
  it('[anomaly 53] is the same with other clocks: they alone are drawn for themselves', () => {
    const others = FAULT_KINDS.filter((kind) => kind !== 'clock');
    const plans = Array.from({ length: 100 }, (_, index) => drawShop(index + 1));
    for (const { faults, ...plan } of plans) {
      const withRightClocks = { ...plan, faults: faults.filter(({ kind }) => kind !== 'clock') };
      expect(drawShop(plan.seed, { kinds: others })).to.deep.equal(withRightClocks);
    }
    const spreads = plans.map((plan) => {
      const { slowestMs, fastestMs } = clockRange(plan);
      return (fastestMs - slowestMs) / (1000 * plan.deadlineSeconds);
    });
    expect(spreads.some((spread) => spread === 0)).to.equal(true);
    expect(spreads.some((spread) => spread > 0.5 && spread < 1)).to.equal(true);
    expect(spreads.some((spread) => spread > 1)).to.equal(true);
  });
  it('is the same each time: a seed is all that it depends on', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [one, other] = [await runWorld(shop, drawShop(seed)), await runWorld(shop, drawShop(seed))];
      expect(other.traceHash).to.equal(one.traceHash);
      expect(other.trace).to.deep.equal(one.trace);
      expect(one.eventCount).to.be.greaterThan(50);
    }
  });
});
