import type { DeadLetter } from '../../janitor/desk/letter.ts';
import type { Path, Snapshot, Store, StoredDocument } from '../../saga/ports/store.ts';

/**
 * Every document that there is, by its path: all of one moment. What stands in them is written down here once more, by hand:
 * whoever judges the product must not believe what the product says of itself.
 */
export interface World {
  readonly ledgers: ReadonlyMap<Path, Ledger>;
  readonly users: ReadonlyMap<Path, User>;
  readonly items: ReadonlyMap<Path, Item>;
  readonly orderRecords: ReadonlyMap<Path, OrderRecord>;
  readonly reservations: ReadonlyMap<Path, Reservation>;
  readonly invoices: ReadonlyMap<Path, Invoice>;
  readonly deadLetters: ReadonlyMap<Path, DeadLetter>;
}

export interface Line {
  readonly item: string;
  readonly quantity: number;
}

export interface PricedLine extends Line {
  readonly price_per_unit: number;
}

/** What was asked is absent where a failure came before its order. */
export interface Ledger {
  readonly uuid: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  /** A line for each transition: its moment, the status, who acted. */
  readonly history: readonly string[];
  readonly user?: string;
  readonly items?: readonly Line[];
  readonly paymentError?: string;
  readonly lines?: readonly PricedLine[];
  readonly charged?: number;
}

export interface User {
  readonly address: string;
  readonly credit?: number;
  readonly credit_limit?: number;
}

export interface Item {
  readonly quantity: number;
  readonly loaded: number;
  readonly price_per_unit: number;
}

export interface OrderRecord {
  readonly items: readonly Line[];
  readonly paymentError?: string;
  readonly createdAt: Date;
}

export interface Reservation {
  readonly quantity: number;
  readonly price_per_unit: number;
}

export interface Invoice {
  readonly user: string;
  readonly total_invoice: number;
  readonly charged: number;
  readonly createdAt: Date;
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
    ledgers: await all('sagas'),
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
