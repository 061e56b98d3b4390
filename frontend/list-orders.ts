import { pageBehind, parsePage } from '../saga/http/page.ts';
import { type Saga, SHARD_COUNT, type Status } from '../saga/ledger/ledger.ts';
import { isLegible } from '../saga/ledger/legible-ledger.ts';
import type { Store } from '../saga/ports/store.ts';

/** Which orders to list. */
export interface OrderFilter {
  readonly user?: string | undefined;
  readonly status?: Status | undefined;
}

/**
 * Lists orders, newest first. Without a user the ledgers are asked shard by shard, because an index that begins with
 * the time alone would slow every order down (docs/architecture.md). Left out are tombstones, which are nobody's order, and
 * ledgers that somebody has made malformed: a page may have fewer orders than its limit although more follow.
 * @returns one page, and the token of the next one where there may be more.
 */
export async function listOrders(
  store: Store,
  { user, status }: OrderFilter,
  limit: number,
  page: string | undefined,
): Promise<{ orders: Saga[]; nextPage?: string }> {
  const after = page === undefined ? undefined : parsePage(page);
  const filter = { ...(user !== undefined && { user }), ...(status !== undefined && { status }) };
  const spread = user === undefined ? Array.from({ length: SHARD_COUNT }, (_, shard) => ({ shard })) : [{}];
  const listings = await Promise.all(
    spread.map((shard) =>
      store.query({ collection: 'sagas', where: { ...shard, ...filter }, limit, ...(after && { after }) }),
    ),
  );
  // Firestore finds a ledger by whatever stands in the field; what is no moment has no place in the order.
  const listed = (listings.flat() as Saga[]).filter(({ createdAt }) => createdAt instanceof Date);
  const portion = listed.sort(newestFirst).slice(0, limit);
  const orders = portion.filter((saga) => isLegible(saga) && saga.user !== '');
  const last = portion.at(-1);
  return last && portion.length === limit
    ? { orders, nextPage: pageBehind({ createdAt: last.createdAt, id: last.uuid }) }
    : { orders };
}

function newestFirst(one: Saga, other: Saga): number {
  return other.createdAt.getTime() - one.createdAt.getTime() || (one.uuid < other.uuid ? 1 : -1);
}
