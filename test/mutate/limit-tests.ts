import type { Context } from 'mocha';
import { stryker } from './credit-hooks.ts';

/**
 * Stryker's runner lets a test take as long as it likes. With a limit, a change after which nothing is ever answered costs
 * seconds, and not as much as all tests together. Without a change, a test that takes long is no fault: the machine is busy.
 */
export const mochaHooks = {
  beforeEach(this: Context) {
    this.currentTest?.timeout(stryker().activeMutant === undefined ? 120_000 : 10_000);
  },
};
