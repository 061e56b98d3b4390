import type { Context } from 'mocha';

/**
 * Stryker's runner lets a test take as long as it likes. With a limit, a change after which nothing is ever answered costs
 * seconds, and not as much as all tests together.
 */
export const mochaHooks = {
  beforeEach(this: Context) {
    this.currentTest?.timeout(10_000);
  },
};
