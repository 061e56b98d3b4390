import { type Saga, SHARD_COUNT, type Status } from '../saga/ledger.ts';
import type { Cursor, Store } from '../saga/store.ts';

/** Which orders to list. */
export interface OrderFilter {
  readonly user?: string | undefined;
  readonly status?: Status | undefined;
}

/**
 * Lists orders, newest first. Without a user the ledgers are asked shard by shard, because an index that begins with
 * the time alone would slow every order down (docs/architecture.md).
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
  const orders = (listings.flat() as Saga[]).sort(newestFirst).slice(0, limit);
  const last = orders.at(-1);
  return last && orders.length === limit ? { orders, nextPage: pageBehind(last) } : { orders };
}

function newestFirst(one: Saga, other: Saga): number {
  return other.createdAt.getTime() - one.createdAt.getTime() || (one.uuid < other.uuid ? 1 : -1);
}

/** A page token names the last order of the page before it. */
function pageBehind({ createdAt, uuid }: Saga): string {
  return Buffer.from(`${createdAt.getTime()}/${uuid}`).toString('base64url');
}

/** @returns the place that a token names; undefined where it is none of ours. */
export function parsePage(token: string): Cursor | undefined {
  const match = /^(\d{1,15})\/([0-9a-f-]{36})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { createdAt: new Date(Number(match[1])), id: match[2] };
}
