import Mocha from 'mocha';
import { IS_THOROUGH } from './thorough.ts';

/**
 * Mocha's own report, then why tests were skipped, and the counts alone on the last line, where a CI finds them.
 */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats ?? {};
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      if (!IS_THOROUGH)
        process.stdout.write('This was a sample of what takes long: THOROUGH=1 npm test runs all of it\n');
      process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
    });
  }
}
