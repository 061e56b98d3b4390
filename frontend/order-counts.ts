import { LEDGERS, type Ledger, ledgerPath } from '../saga/ledger/ledger.ts';
import { type MovedOrder, movesOf } from '../saga/ledger/watch-ledgers.ts';
import type { Snapshot, Store } from '../saga/ports/store.ts';
import { isOrderOf } from './live-reader.ts';

/** What is counted: the orders of all customers or of one, in these statuses. */
export interface Counted {
  readonly statuses: readonly string[];
  readonly user?: string | undefined;
}

export type Counts = Readonly<Record<string, number>>;

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

/** How many orders were in each status before the moves that are noted. */
export interface InitialCounts {
  /** Is told all moves, before anything else is asked. */
  note(moved: MovedOrder): void;
  /**
   * Leaves out the moves that were noted. Exact once all have been noted that were committed before the first call; each later call
   * is about the same moment.
   * @throws StoreError if the store can't be read; may be called again.
   */
  read(): Promise<Counts>;
  /** Keeps nothing any longer. */
  close(): void;
}

/** At most so many moving orders are looked up; beyond that the counts are approximate. */
const NOTED_MAX = 10_000;
const READ_AT_ONCE = 300;

/**
 * The store is counted in a snapshot, which is newer than the first moves that are noted: so the orders that moved are looked up in the
 * same snapshot.
 */
export function createInitialCounts(store: Pick<Store, 'snapshot'>, counted: Counted): InitialCounts {
  /** Of each order that moved, how many transitions it had before. */
  const noted = new Map<string, number>();
  let isClosed = false;
  let first: { readonly snapshot: Snapshot; readonly counts: Counts } | undefined;

  return {
    note({ ledger, told }) {
      if (isClosed || noted.size >= NOTED_MAX || !isOrderOf(ledger, counted.user)) return;
      if (!noted.has(ledger.uuid)) noted.set(ledger.uuid, told);
    },
    async read() {
      if (first === undefined) {
        const snapshot = await store.snapshot();
        first = { snapshot, counts: await countOrders(snapshot, counted) };
      }
      const { snapshot } = first;
      const counts: Record<string, number> = { ...first.counts };
      const orders = [...noted];
      while (orders.length > 0 && !isClosed) {
        const some = orders.splice(0, READ_AT_ONCE);
        const found = await snapshot.read(some.map(([uuid]) => ledgerPath(uuid)));
        for (const [uuid, told] of some) {
          const ledger = found.get(ledgerPath(uuid)) as Ledger | undefined;
          if (ledger !== undefined) add(counts, movesOf({ ledger, told }), -1);
        }
      }
      return counts;
    },
    close() {
      isClosed = true;
      first = undefined;
      noted.clear();
    },
  };
}

/** Counts moves, so many times. */
export function add(
  counts: Record<string, number>,
  { entered, left }: ReturnType<typeof movesOf>,
  times: number,
) {
  for (const status of entered) counts[status] = (counts[status] ?? 0) + times;
  for (const status of left) counts[status] = (counts[status] ?? 0) - times;
}
