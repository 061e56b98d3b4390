import { isDeepStrictEqual } from 'node:util';
import { type Path, type Store, StoreError, type Version, type Versioned } from '../../saga/ports/store.ts';
import { type DiskOptions, openDisk } from './disk.ts';
import { changesOf, createDocuments, type DocumentChanges } from './memory-store.ts';

export interface DurableOptions {
  /** Whether to delete first what the folder holds. */
  readonly fresh?: boolean;
  /** By default a folder of this machine. */
  readonly open?: typeof openDisk;
}

/** So many commits at most become one write. */
const COMMITS_MAX = 256;

/** A document that an earlier commit of the same write has changed. Readers don't see it yet, so no guard names this version. */
const UNSEEN = 0 as unknown as Version;

/** What to change, decided when its turn comes. */
type Decision = (at: (path: Path) => Versioned | undefined) => DocumentChanges;

interface Waiting {
  readonly decide: Decision;
  readonly settle: (error?: unknown) => void;
}

/**
 * The embedded store that lasts: documents in memory, which answer everything that is read, and a copy on disk.
 *
 * A commit is checked against memory, written to disk with all that it changes, and only then becomes visible. So readers never
 * see what could vanish, and a process that is killed has committed all or nothing. While one write is under way, further commits
 * wait, and become the next one together.
 *
 * Versions count from one again in every process. That is safe because they live only in memory: whoever held one died with the
 * process that gave it out.
 * @param folder belongs to this process alone, as long as the store is open.
 * @throws Error that says in one sentence why the folder can't be used.
 */
export async function openDurableStore(
  folder: string,
  { fresh = false, open = openDisk }: DurableOptions = {},
): Promise<Store> {
  const documents = createDocuments();
  let disk = await openWith({ how: fresh ? 'fresh' : 'open' });
  /** After a write that failed, nobody knows what the disk holds until it is read again. */
  let isInDoubt = false;
  let isClosed = false;
  const waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  async function openWith(options: DiskOptions) {
    const opened = await open(folder, options);
    try {
      const stored = await opened.load();
      documents.apply(differencesTo(stored));
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  /** What makes the documents in memory those that are stored. */
  function differencesTo(stored: ReadonlyMap<Path, object>): DocumentChanges {
    const changes = new Map<Path, object | undefined>();
    for (const [path] of documents.all()) if (!stored.has(path)) changes.set(path, undefined);
    for (const [path, fields] of stored) {
      if (!isDeepStrictEqual(documents.at(path)?.fields, fields)) changes.set(path, fields);
    }
    return changes;
  }

  function submit(decide: Decision): Promise<void> {
    if (isClosed) return Promise.reject(new StoreError('unavailable', 'The store is closed'));
    return new Promise((resolve, reject) => {
      waiting.push({ decide, settle: (error) => (error === undefined ? resolve() : reject(error)) });
      working ??= work();
    });
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) await writeTogether(waiting.splice(0, COMMITS_MAX));
    working = undefined;
  }

  /** Never rejects. */
  async function writeTogether(commits: readonly Waiting[]): Promise<void> {
    let settleAll: () => void;
    try {
      // In doubt, LevelDB takes no further write; opened again, it knows what it has.
      if (isInDoubt) await recover();
      const changed = new Map<Path, object | undefined>();
      const at = (path: Path) => {
        if (!changed.has(path)) return documents.at(path);
        const fields = changed.get(path);
        return fields && { fields, version: UNSEEN };
      };
      const settles = commits.map(({ decide, settle }) => {
        try {
          for (const [path, fields] of decide(at)) changed.set(path, fields);
          return () => settle();
        } catch (error) {
          // Also told after the write: whoever reads again must see what was in the way.
          return () => settle(error);
        }
      });
      if (changed.size > 0) {
        isInDoubt = true;
        await disk.write(changed);
        isInDoubt = false;
        documents.apply(changed);
      }
      settleAll = () => {
        for (const settle of settles) settle();
      };
    } catch (cause) {
      const message = `The commit could not be written to disk: ${(cause as Error).message}`;
      const error = new StoreError('unavailable', message, { cause });
      settleAll = () => {
        for (const { settle } of commits) settle(error);
      };
    }
    settleAll();
  }

  async function recover(): Promise<void> {
    await disk.close();
    disk = await openWith({ how: 'keep' });
    isInDoubt = false;
  }

  return {
    ...documents.reading,
    async commit(writes) {
      await submit((at) => changesOf(writes, at));
    },
    async erase(collection, onProgress) {
      let deletedCount = 0;
      await submit(() => {
        const paths = documents.below(collection);
        deletedCount = paths.length;
        return new Map(paths.map((path) => [path, undefined]));
      });
      onProgress?.(deletedCount);
      return deletedCount;
    },
    async close() {
      isClosed = true;
      await working;
      await disk.close();
    },
  };
}
