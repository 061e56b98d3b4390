/** Runs before and after all suites: see the emulators' own file for what is shared between them. */
export const mochaHooks = {};
