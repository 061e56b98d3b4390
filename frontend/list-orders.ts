import { pageBehind, parsePage } from '../saga/http/page.ts';
import { LEDGERS, type Ledger, SHARD_COUNT } from '../saga/ledger/ledger.ts';
import { isTombstone, readLedger } from '../saga/ledger/read-ledger.ts';
import type { Store } from '../saga/ports/store.ts';
import type { Saga } from '../saga/step/saga.ts';

/** Which orders to list. */
export interface OrderFilter {
  readonly user?: string | undefined;
  readonly status?: string | undefined;
}

/**
 * Lists orders, newest first. Without a user the ledgers are asked shard by shard, because an index that begins with
 * the time alone would slow every order down (docs/architecture.md). Leaves out tombstones of orders that never came, and
 * malformed ledgers. So a page may have fewer orders than its limit although more follow.
 * @returns one page, and the token of the next one if there may be more.
 */
export async function listOrders(
  saga: Saga,
  store: Store,
  { user, status }: OrderFilter,
  limit: number,
  page: string | undefined,
): Promise<{ orders: Ledger[]; nextPage?: string }> {
  const after = page === undefined ? undefined : parsePage(page);
  const filter = { ...(user !== undefined && { user }), ...(status !== undefined && { status }) };
  const spread = user === undefined ? Array.from({ length: SHARD_COUNT }, (_, shard) => ({ shard })) : [{}];
  const listings = await Promise.all(
    spread.map((shard) =>
      store.query({ collection: LEDGERS, where: { ...shard, ...filter }, limit, ...(after && { after }) }),
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
