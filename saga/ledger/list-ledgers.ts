import { pageBehind, parsePage } from '../http/page.ts';
import type { Store } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import { LEDGERS, type Ledger, SHARD_COUNT } from './ledger.ts';
import { isTombstone, readLedger } from './read-ledger.ts';

/**
 * Which ledgers to list: the status, and the fields by which orders of this kind are listed; or, with no other condition, a name
 * that the orders mention.
 */
export type LedgerFilter = Readonly<Record<string, string | undefined>>;

/**
 * Lists the ledgers of orders, newest first. Unless a field of the order narrows them down, they are asked shard by shard,
 * because an index that begins with the time alone would slow every order down (docs/architecture.md). Leaves out tombstones of
 * orders that never came, and malformed ledgers. So a page may have fewer orders than its limit although more follow.
 * @returns one page, and the token of the next one if there may be more.
 */
export async function listLedgers(
  saga: Saga,
  store: Store,
  { mentions, ...filter }: LedgerFilter,
  limit: number,
  page: string | undefined,
): Promise<{ orders: Ledger[]; nextPage?: string }> {
  const after = page === undefined ? undefined : parsePage(page);
  const where = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as {
    [field: string]: string;
  };
  const isNarrow = saga.order.listedBy.some((field) => field in where);
  const contains = mentions === undefined ? undefined : { field: 'mentions', value: mentions };
  const spread = isNarrow ? [{}] : Array.from({ length: SHARD_COUNT }, (_, shard) => ({ shard }));
  const listings = await Promise.all(
    spread.map((shard) =>
      store.query({
        collection: LEDGERS,
        where: { ...shard, ...where },
        ...(contains && { contains }),
        limit,
        ...(after && { after }),
      }),
    ),
  );
  // Firestore sorts by the field whatever its type; a ledger without a moment there can't be placed in the list.
  const listed = (listings.flat() as Ledger[]).filter(({ createdAt }) => createdAt instanceof Date);
  const portion = listed.sort(newestFirst).slice(0, limit);
  const orders = portion.filter(
    (ledger) => 'ledger' in readLedger(saga, ledger.uuid, ledger) && !isTombstone(saga, ledger),
  );
  const last = portion.at(-1);
  return last && portion.length === limit
    ? { orders, nextPage: pageBehind({ createdAt: last.createdAt, id: last.uuid }) }
    : { orders };
}

function newestFirst(one: Ledger, other: Ledger): number {
  return other.createdAt.getTime() - one.createdAt.getTime() || (one.uuid < other.uuid ? 1 : -1);
}
