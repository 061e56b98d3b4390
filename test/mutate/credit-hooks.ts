import type { Context, Suite } from 'mocha';

/** Which changes were passed, and how often, by their ids. */
type Passed = Record<string, number>;

/** What Stryker's instrumented code and its runner tell each other, in the global `__stryker__`. */
interface Stryker {
  /** The change that is switched on; undefined in the first run, which finds out what each test passes. */
  readonly activeMutant?: string;
  /** What is passed now counts for this test. */
  currentTestId?: string | undefined;
  readonly mutantCoverage?: { readonly perTest: Record<string, Passed> };
}

const BETWEEN_TESTS = 'between tests';
const passedBefore = new WeakMap<Suite, Passed>();
let last: readonly Suite[] = [];

/**
 * What a `before` hook passes is credited to each test of its suite. Stryker's runner credits it to the test that ran last
 * before, of another suite, and then runs that one alone: an engine started by a hook would seem to be tested by nothing.
 * If several hooks run in a row, we can't tell them apart, so all is credited to the outermost suite.
 */
export const mochaHooks = {
  beforeAll: beginHooks,
  // It runs before the hook of Stryker's runner, which says that from here on all counts for this test.
  beforeEach(this: Context) {
    const { activeMutant, mutantCoverage } = stryker();
    const test = this.currentTest;
    if (activeMutant !== undefined || mutantCoverage === undefined || test === undefined) return;
    const { perTest } = mutantCoverage;
    const suites = suitesOf(test.parent);
    const entered = suites.find((suite) => !last.includes(suite));
    last = suites;
    if (entered !== undefined) passedBefore.set(entered, perTest[BETWEEN_TESTS] ?? {});
    delete perTest[BETWEEN_TESTS];
    const own = perTest[test.fullTitle()] ?? {};
    perTest[test.fullTitle()] = own;
    for (const suite of suites) for (const change in passedBefore.get(suite)) own[change] ??= 1;
  },
  afterEach: beginHooks,
  afterAll() {
    const state = stryker();
    state.currentTestId = undefined;
    delete state.mutantCoverage?.perTest[BETWEEN_TESTS];
  },
};

function beginHooks(): void {
  stryker().currentTestId = BETWEEN_TESTS;
}

/** From the outermost to the innermost, without the root of all. */
function suitesOf(suite: Suite | undefined): readonly Suite[] {
  return suite === undefined || suite.root ? [] : [...suitesOf(suite.parent), suite];
}

export function stryker(): Stryker {
  const there = globalThis as { __stryker__?: Stryker };
  there.__stryker__ ??= {};
  return there.__stryker__;
}
