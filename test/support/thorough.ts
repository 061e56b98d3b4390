/** Whether all tests run in full, as they do in CI. Otherwise those that take long run as a sample, or not at all. */
export const IS_THOROUGH = process.env.THOROUGH === '1';

/** A test that is too long for a sample: it is skipped there. */
export const longTest = (title: string, test: (this: Mocha.Context) => unknown): unknown =>
  (IS_THOROUGH ? it : it.skip)(title, test as Mocha.AsyncFunc);

/** A suite that is too long for a sample: all of it is skipped there, and nothing is started for it. */
export const longSuite = (title: string, suite: (this: Mocha.Suite) => void): unknown =>
  (IS_THOROUGH ? describe : describe.skip)(title, suite);

/** How much of something runs: all of it, or as much as a sample has. */
export const sampled = (all: number, sample: number): number => (IS_THOROUGH ? all : sample);
