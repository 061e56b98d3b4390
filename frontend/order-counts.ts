import { LEDGERS, type Ledger, ledgerPath } from '../saga/ledger/ledger.ts';
import { type MovedOrder, movesOf } from '../saga/ledger/watch-ledgers.ts';
import type { Snapshot, Store } from '../saga/ports/store.ts';

/** What is counted: the orders of all customers or of one, in these statuses. */
export interface Counted {
  readonly statuses: readonly string[];
  readonly user?: string | undefined;
}

export type Counts = Readonly<Record<string, number>>;

/** Whether it is an order of this customer; without one, it is one of all. */
export const isOf = (ledger: Ledger, user: string | undefined): boolean =>
  user === undefined || (ledger as { readonly user?: unknown }).user === user;

/** How many orders there were in each status. */
export async function countOrders(
  snapshot: Pick<Snapshot, 'count'>,
  { statuses, user }: Counted,
): Promise<Counts> {
  const counts = await Promise.all(
    statuses.map(async (status) => {
      const where = { status, ...(user !== undefined && { user }) };
      return [status, await snapshot.count({ collection: LEDGERS, where })] as const;
    }),
  );
  return Object.fromEntries(counts);
}

/** How many orders were in each status when a tally began to count. */
export interface FirstCounts {
  /** Is told all that the tally counts, before anything else is asked. */
  note(moved: MovedOrder): void;
  /**
   * Without the transitions that the tally counts, too, as far as they were noted. Exact once all has been noted that was committed
   * before the first call; each later call is about the same moment.
   * @throws StoreError if the store can't be read; may be called again.
   */
  read(): Promise<Counts>;
  /** There is nothing more to be noted. */
  close(): void;
}

/** Of so many orders that move as a stream begins, it is known what was counted. Of more, the numbers are no longer exact. */
const NOTED_MAX = 10_000;
const READ_AT_ONCE = 300;

/**
 * The store is counted as of one moment while orders move, and the tally has begun a little earlier: the orders that the tally counts
 * are looked up in the same snapshot.
 */
export function createFirstCounts(store: Pick<Store, 'snapshot'>, counted: Counted): FirstCounts {
  /** Of each order, how many transitions the tally doesn't count. */
  const noted = new Map<string, number>();
  let isClosed = false;
  let first: { readonly snapshot: Snapshot; readonly counts: Counts } | undefined;

  return {
    note({ ledger, told }) {
      if (isClosed || noted.size >= NOTED_MAX || !isOf(ledger, counted.user)) return;
      if (!noted.has(ledger.uuid)) noted.set(ledger.uuid, told);
    },
    async read() {
      if (first === undefined) {
        const snapshot = await store.snapshot();
        first = { snapshot, counts: await countOrders(snapshot, counted) };
      }
      const counts: Record<string, number> = { ...first.counts };
      const add = (status: string, count: number) => {
        if (counts[status] !== undefined) counts[status] += count;
      };
      const orders = [...noted];
      while (orders.length > 0) {
        const some = orders.splice(0, READ_AT_ONCE);
        const found = await first.snapshot.read(some.map(([uuid]) => ledgerPath(uuid)));
        for (const [uuid, told] of some) {
          const ledger = found.get(ledgerPath(uuid)) as Ledger | undefined;
          if (ledger === undefined) continue;
          const { entered, left } = movesOf({ ledger, told });
          for (const status of entered) add(status, -1);
          for (const status of left) add(status, 1);
        }
      }
      return counts;
    },
    close() {
      isClosed = true;
      noted.clear();
    },
  };
}
