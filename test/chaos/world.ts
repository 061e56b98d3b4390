import type { DeadLetter } from '../../janitor/desk/letter.ts';
import type { Path, Snapshot, Store, StoredDocument } from '../../saga/ports/store.ts';
import type { Ledger } from './verdict.ts';

/** Every document that there is, by its path: all of one moment. What stands in them, `verdict.ts` says once more, by hand. */
export interface World {
  readonly ledgers: ReadonlyMap<Path, Ledger>;
  readonly deadLetters: ReadonlyMap<Path, DeadLetter>;
  /** Accounts and records. */
  readonly documents: ReadonlyMap<Path, object>;
}

const PAGE = 1000;

/** @param collections the name of each collection that there is. */
export async function readWorld(store: Store, collections: readonly string[]): Promise<World> {
  const snapshot = await store.snapshot();
  const found = new Map<string, Map<Path, object>>();
  for (const collection of collections) {
    const documents = await scanAll(snapshot, collection);
    found.set(collection, new Map(documents.map(({ path, fields }) => [path, fields])));
  }
  const { sagas = new Map(), 'dead-letters': deadLetters = new Map(), ...others } = Object.fromEntries(found);
  return {
    ledgers: sagas as Map<Path, Ledger>,
    deadLetters: deadLetters as Map<Path, DeadLetter>,
    documents: new Map(Object.values(others).flatMap((documents) => [...documents])),
  };
}

async function scanAll(snapshot: Snapshot, collection: string): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for (;;) {
    const after = found.at(-1)?.path;
    const page = await snapshot.scan({ collection, limit: PAGE, ...(after !== undefined && { after }) });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
