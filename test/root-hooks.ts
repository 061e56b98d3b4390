import { stopSharedEmulators } from './emulators.ts';

/** Run by mocha around all suites. */
export const mochaHooks = {
  async afterAll(this: Mocha.Context): Promise<void> {
    this.timeout(20_000);
    await stopSharedEmulators();
  },
};
