import { expect } from 'chai';
import { withInvertedUndo } from '../../test-kit/simulation/checks/without-guard.ts';
import { shrink } from '../../test-kit/simulation/shrink.ts';
import { findFault } from './search.ts';
import { anyShopOfThree } from './shop.ts';

describe('A failing plan', () => {
  it('is made smaller until nothing can be left out, and still fails', async () => {
    const options = { makeService: withInvertedUndo };
    const failed = await findFault(100, {}, options, /orders hold \d+ of/, anyShopOfThree);
    if (failed === undefined) throw new Error('Nothing failed');
    const smallest = await shrink(anyShopOfThree, failed, options);
    expect(smallest.fault).to.match(/orders hold \d+ of/);
    expect(smallest.plan.orders).to.have.length(1);
    expect(smallest.trace.length).to.be.lessThan(failed.trace.length);
    expect(smallest.plan.seed).to.equal(failed.plan.seed);
  });
});
