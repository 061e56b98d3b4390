import { stopSharedEmulators } from './emulators.ts';

/**
 * Run by mocha around all suites; by each of its workers around each file. A worker keeps its emulators for the files that
 * follow: they end with it.
 */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    if (process.env.MOCHA_WORKER_ID !== undefined) return;
    this.timeout(20_000);
    await stopSharedEmulators();
  },
};
