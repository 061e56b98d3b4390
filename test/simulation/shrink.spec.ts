import { expect } from 'chai';
import { withInvertedUndo } from './broken-services.ts';
import { findFault } from './search.ts';
import { shrink } from './shrink.ts';

describe('A failing plan', () => {
  it('is made smaller until nothing can be left out, and still fails', async () => {
    const options = { makeService: withInvertedUndo };
    const failed = await findFault(100, {}, options);
    if (failed === undefined) throw new Error('Nothing failed');
    const smallest = await shrink(failed, options);
    expect(smallest.fault).to.match(/were loaded/);
    expect(smallest.plan.orders).to.have.length(1);
    expect(smallest.trace.length).to.be.lessThan(failed.trace.length);
    expect(smallest.plan.seed).to.equal(failed.plan.seed);
  });
});
