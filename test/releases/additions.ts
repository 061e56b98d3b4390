import type { Addition } from './shape.ts';

/**
 * What this code writes and the newest recorded release does not: each entry with the reason why the processes of that
 * release, which read it during a rollout or after a rollback, do nothing wrong with it. Once a release is recorded that
 * has it, it is no addition any more.
 */
export const ADDITIONS: readonly Addition[] = [];
