import type { Environment } from '../commit/group-commit.ts';
import type { Bus } from './bus.ts';
import type { Log } from './log.ts';
import type { Observe } from './observe.ts';
import type { Post } from './post.ts';
import type { Store } from './store.ts';

/** All that a service needs from the world. */
export interface Ports extends Environment {
  readonly store: Store;
  readonly bus: Bus;
  readonly log: Log;
  /** Gets every event; absent if nothing is observed. */
  readonly observe?: Observe;
  /** Reaches servers outside; absent where nothing may leave the process, as in a simulation. */
  readonly post?: Post;
  /** A new, unique uuid. */
  readonly newUuid: () => string;
}
