/** Whether all tests run in full, as they do in CI. Otherwise those that take long run as a sample, or not at all. */
export const IS_THOROUGH = process.env.THOROUGH === '1';

/** A test that is too long for a sample: it is skipped there. */
export const long = (test: (this: Mocha.Context) => unknown): Mocha.AsyncFunc =>
  async function () {
    if (!IS_THOROUGH) this.skip();
    await test.call(this);
  };

/** How much of something runs: all of it, or as much as a sample has. */
export const sampled = (all: number, sample: number): number => (IS_THOROUGH ? all : sample);
