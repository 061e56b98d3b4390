import type { Context, Hook, Suite, Test } from 'mocha';

/** Where Stryker keeps the test that runs, while it finds out which tests pass which places. */
const stryker = (globalThis as { __stryker__?: { currentTestId?: string } }).__stryker__ ?? {};
let arePreparationsNamed = false;

export const mochaHooks = {
  /**
   * What a suite prepares counts for the first of its tests. Stryker takes it for a part of the test before, with which it isn't
   * run again: then no test would find a change that lets the preparation fail.
   */
  beforeAll(this: Context) {
    const root = this.test?.parent;
    if (root && !arePreparationsNamed) root.suites.forEach(namePreparation);
    arePreparationsNamed = true;
  },
  /**
   * Stryker's runner lets a test take as long as it likes. With a limit, a change after which nothing is ever answered costs
   * seconds, and not as much as all tests together.
   */
  beforeEach(this: Context) {
    this.currentTest?.timeout(10_000);
  },
};

function namePreparation(suite: Suite): void {
  const tests: Test[] = [];
  suite.eachTest((test) => tests.push(test));
  const [first] = tests;
  if (first === undefined) return;
  suite.beforeAll(() => {
    stryker.currentTestId = first.fullTitle();
  });
  // It must come before all others, and mocha has no way to say so.
  const { _beforeAll: hooks } = suite as unknown as { readonly _beforeAll: Hook[] };
  hooks.unshift(...hooks.splice(-1));
  suite.suites.forEach(namePreparation);
}
