import { expect } from 'chai';
import type { PlanLimits } from '../../test-kit/simulation/plan.ts';
import { longTest, sampled } from '../support/thorough.ts';
import { drawRestore, type Restore, type RestoreOutcome, simulateRestore } from './restore.ts';
import { expectNothing } from './search.ts';
import { drawShop } from './shop.ts';

const SEED_COUNT = sampled(100, 40);
/** Within so many seeds a control must show. */
const SEEDS_MAX = 100;

/** Every seed up to `seedCount`, or up to the first in which something is wrong. */
async function runAll(
  seedCount: number,
  how: Partial<Restore>,
  limits: PlanLimits = {},
): Promise<{ outcomes: readonly RestoreOutcome[]; failed: RestoreOutcome | undefined }> {
  const outcomes: RestoreOutcome[] = [];
  for (let seed = 1; seed <= seedCount; seed++) {
    const outcome = await simulateRestore(drawShop(seed, limits), { ...drawRestore(seed), ...how });
    outcomes.push(outcome);
    if (outcome.wrongs.length > 0) return { outcomes, failed: outcome };
  }
  return { outcomes, failed: undefined };
}

const told = ({ plan, restore, wrongs, trace }: RestoreOutcome): string =>
  [`seed ${plan.seed}: ${wrongs[0]}`, JSON.stringify(plan), JSON.stringify(restore), ...trace].join('\n');

const sum = (outcomes: readonly RestoreOutcome[], count: (one: RestoreOutcome) => number): number =>
  outcomes.reduce((total, one) => total + count(one), 0);

describe('Where a copy of all documents is restored while the messages are ahead of it', function () {
  this.timeout(180_000);

  it('[anomalies 9, 27] each order of the copy comes to one end, and stock and credit are exact', async () => {
    const { outcomes, failed } = await runAll(SEED_COUNT, {});
    expectNothing(failed && told(failed));
    expect(sum(outcomes, ({ setBackCount }) => setBackCount)).to.be.greaterThan(SEED_COUNT);
    expect(sum(outcomes, ({ lostCount, foundCount }) => lostCount - foundCount)).to.be.greaterThan(0);
  });

  longTest(
    '[anomaly 32] a seek brings back the orders that the copy does not know, but none that had failed',
    async () => {
      const { outcomes, failed } = await runAll(SEED_COUNT, { seeks: true });
      expectNothing(failed && told(failed));
      expect(sum(outcomes, ({ foundCount }) => foundCount)).to.be.greaterThan(0);
      expect(sum(outcomes, ({ fencedCount }) => fencedCount)).to.be.greaterThan(0);
    },
  );

  it('[anomaly 27] nobody but the sweeper moves on what the copy left standing', async () => {
    const { failed } = await runAll(SEEDS_MAX, {}, { kinds: [], swept: false });
    expect(failed?.wrongs[0]).to.match(/rests as/);
  });

  it('the audit notices that the copy was only laid over what there is', async () => {
    const { failed } = await runAll(SEEDS_MAX, { isMerged: true }, { kinds: [] });
    expect(failed?.wrongs[0]).to.match(/^in the copy: .*(too many|missing|but there it is)/);
  });
});
