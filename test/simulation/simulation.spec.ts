import { expect } from 'chai';
import { drawPlan, type FaultKind } from './plan.ts';
import { findFault, told } from './search.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulation.ts';

/** How many worlds with faults of every kind are run here; `npm run simulate` runs more. */
const SEED_COUNT = 250;
const SEED_COUNT_OF_KIND = 30;

const kinds: readonly [what: string, kinds: readonly FaultKind[]][] = [
  ['[anomaly 14] nothing but other orders', []],
  ['[anomalies 1, 3, 6] messages that are delivered twice', ['duplicate']],
  ['[anomalies 2, 18] publications that fail, or happen twice', ['publish']],
  ['[anomaly 4] messages that come late and in another order', ['late']],
  ['[anomalies 5, 7, 8, 10] messages that overtake their cause or come after the end', ['forged']],
  ['[anomalies 11, 18, 20, 36] processes that die at any effect', ['crash']],
  ['[anomaly 20] acks that are lost', ['lost ack']],
  ['[anomaly 19] commits whose answer is an error', ['commit', 'read']],
  ['[anomaly 21] workers that wake after their lease', ['pause']],
  ['[anomaly 28] sweeps at any moment, and deadlines that race with the work', ['sweep', 'late']],
  ['[anomaly 29] customers who cancel at any moment', ['cancel']],
  ['[anomaly 37] a store or a broker that is away for a while', ['store away', 'bus away']],
  ['[anomalies 18, 38] messages that somebody takes away', ['stolen']],
];

describe('The pipeline in a simulated world', function () {
  this.timeout(60_000);

  it(`[anomalies 9, 15, 17, 32] holds its promise under faults of all kinds at once (${SEED_COUNT} seeds)`, async () => {
    const failed = await findFault(SEED_COUNT, {});
    expect(failed && told(await shrink(failed))).to.equal(undefined);
  });

  for (const [what, only] of kinds) {
    it(`${what} do no harm`, async () => {
      const failed = await findFault(SEED_COUNT_OF_KIND, { kinds: only });
      expect(failed && told(await shrink(failed))).to.equal(undefined);
    });
  }

  it('is the same each time: a seed is all that a world depends on', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [one, other] = [await simulate(drawPlan(seed)), await simulate(drawPlan(seed))];
      expect(other.traceHash).to.equal(one.traceHash);
      expect(other.trace).to.deep.equal(one.trace);
      expect(one.eventCount).to.be.greaterThan(50);
    }
  });
});
