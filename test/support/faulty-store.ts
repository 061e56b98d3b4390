import { type GuardedWrite, type Path, type Store, StoreError } from '../../saga/ports/store.ts';

/**
 * What a commit comes to:
 * - `conflict`, `unavailable`, `rejected`: that error, and nothing is written;
 * - `lost answer`: it goes through, and the caller hears that the store is unavailable;
 * - `own success`: it goes through, is repeated by the client, and the caller hears of a conflict with itself;
 * - a function: that happens first, then the commit itself.
 */
export type CommitFault =
  | 'conflict'
  | 'unavailable'
  | 'rejected'
  | 'lost answer'
  | 'own success'
  | (() => Promise<void>);

/** A store that notes what it is asked, and fails where a spec says so. */
export interface FaultyStore extends Store {
  /** The paths of each read that was asked for. */
  readonly reads: (readonly Path[])[];
  /** The writes of each commit that went through. */
  readonly commits: (readonly GuardedWrite[])[];
  /** What the next commits come to, one after the other; then they go through. */
  readonly commitFaults: (CommitFault | undefined)[];
  /** How many of the next reads find the store unavailable. */
  readFaults: number;
  /** Commits that hold a write to such a path are rejected, whenever they come. */
  poison: (path: Path) => boolean;
}

export function createFaultyStore(inner: Store): FaultyStore {
  const fail = (kind: StoreError['kind']): never => {
    throw new StoreError(kind, `The spec says: ${kind}`);
  };
  return {
    ...inner,
    reads: [],
    commits: [],
    commitFaults: [],
    readFaults: 0,
    poison: () => false,
    async read(paths) {
      this.reads.push(paths);
      if (this.readFaults > 0) {
        this.readFaults--;
        fail('unavailable');
      }
      return inner.read(paths);
    },
    async commit(writes) {
      const fault = this.commitFaults.shift();
      if (fault === 'conflict' || fault === 'unavailable' || fault === 'rejected') fail(fault);
      if (writes.some(({ path }) => this.poison(path))) fail('rejected');
      if (typeof fault === 'function') await fault();
      await inner.commit(writes);
      this.commits.push(writes);
      if (fault === 'lost answer') fail('unavailable');
      if (fault === 'own success') fail('conflict');
    },
  };
}
