import { expect } from 'chai';
import Mocha from 'mocha';
import { mochaHooks } from './credit-hooks.ts';

type Stryker = {
  currentTestId?: string;
  mutantCoverage: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
};
const shared = globalThis as { __stryker__?: Stryker };

/** Runs suites as Stryker's runner does. @returns what was passed, by the test that it is credited to. */
async function creditsOf(define: (suiteOf: (title: string) => Mocha.Suite, pass: Pass) => void) {
  const stryker: Stryker = { mutantCoverage: { static: {}, perTest: {} } };
  const { mutantCoverage: coverage } = stryker;
  shared.__stryker__ = stryker;
  const pass: Pass = (change) => () => {
    const id = stryker.currentTestId;
    if (id !== undefined) coverage.perTest[id] ??= {};
    const passed = (id !== undefined && coverage.perTest[id]) || coverage.static;
    passed[change] = (passed[change] ?? 0) + 1;
  };
  const mocha = new Mocha({ rootHooks: mochaHooks, reporter: class {} as never });
  mocha.suite.beforeEach(function () {
    stryker.currentTestId = this.currentTest?.fullTitle() ?? '';
  });
  define((title) => Mocha.Suite.create(mocha.suite, title), pass);
  await new Promise((resolve) => {
    mocha.run(resolve);
  });
  const credits = Object.entries(coverage.perTest).map(([test, passed]) => [test, Object.keys(passed)]);
  return { ...Object.fromEntries(credits), static: Object.keys(coverage.static) };
}
type Pass = (change: string) => () => void;

describe('What tests pass, in a run that changes the product', () => {
  after(() => {
    delete shared.__stryker__;
  });

  it('counts for each test of a suite if a hook before them passes it, and for no other', async () => {
    const credits = await creditsOf((suiteOf, pass) => {
      for (const name of ['stock', 'credit']) {
        const suite = suiteOf(name);
        suite.beforeAll(pass(`start of ${name}`));
        for (const test of ['is taken', 'is given back']) suite.addTest(new Mocha.Test(test, pass(test)));
      }
    });
    expect(credits).to.deep.equal({
      'stock is taken': ['start of stock', 'is taken'],
      'stock is given back': ['start of stock', 'is given back'],
      'credit is taken': ['start of credit', 'is taken'],
      'credit is given back': ['start of credit', 'is given back'],
      static: [],
    });
  });

  it('counts for the tests of inner suites, too', async () => {
    const credits = await creditsOf((suiteOf, pass) => {
      const outer = suiteOf('an order');
      outer.beforeAll(pass('start'));
      const [paid, sent] = [Mocha.Suite.create(outer, 'paid'), Mocha.Suite.create(outer, 'sent')];
      sent.beforeAll(pass('courier'));
      for (const inner of [paid, sent]) inner.addTest(new Mocha.Test('holds', pass('hold')));
    });
    expect(credits).to.deep.equal({
      'an order paid holds': ['start', 'hold'],
      'an order sent holds': ['start', 'courier', 'hold'],
      static: [],
    });
  });
});
