import type { Environment } from '../commit/group-commit.ts';
import type { Bus } from './bus.ts';
import type { Log } from './log.ts';
import type { Store } from './store.ts';

/** All that a service needs from the world. */
export interface Ports extends Environment {
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Log;
  /** A uuid that nobody has drawn before. */
  readonly newUuid: () => string;
}
