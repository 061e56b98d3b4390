import type { Item, Reservation } from '../../inventory/documents.ts';
import type { DeadLetter } from '../../janitor/desk/letter.ts';
import type { OrderRecord, User } from '../../order/documents.ts';
import type { Invoice } from '../../payments/documents.ts';
import type { Saga } from '../../saga/ledger/ledger.ts';
import type { Path, Snapshot, Store, StoredDocument } from '../../saga/ports/store.ts';

/** Every document that there is, by its path: all of one moment. */
export interface World {
  readonly sagas: ReadonlyMap<Path, Saga>;
  readonly users: ReadonlyMap<Path, User>;
  readonly items: ReadonlyMap<Path, Item>;
  readonly orderRecords: ReadonlyMap<Path, OrderRecord>;
  readonly reservations: ReadonlyMap<Path, Reservation>;
  readonly invoices: ReadonlyMap<Path, Invoice>;
  readonly deadLetters: ReadonlyMap<Path, DeadLetter>;
}

const PAGE = 1000;

export async function readWorld(store: Store): Promise<World> {
  const snapshot = await store.snapshot();
  const all = async <T>(collection: string, isWanted = (_path: Path) => true): Promise<Map<Path, T>> =>
    new Map(
      (await scanAll(snapshot, collection))
        .filter(({ path }) => isWanted(path))
        .map(({ path, fields }) => [path, fields as T]),
    );
  return {
    sagas: await all('sagas'),
    users: await all('users'),
    items: await all('inventory'),
    orderRecords: await all('orders', (path) => path.startsWith('users/')),
    reservations: await all('orders', (path) => path.startsWith('inventory/')),
    invoices: await all('payments'),
    deadLetters: await all('dead-letters'),
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
