import type { Ledger } from '../saga/ledger/ledger.ts';
import { type MovedOrder, movesOf } from '../saga/ledger/watch-ledgers.ts';
import type { Counts } from './order-counts.ts';

/** How many orders wait for a reader at most. */
const WAITING_MAX = 500;
/** How many of them are sent at once. */
const SENT_AT_ONCE = 50;

/** Which orders a reader wants to see: those of a customer, and those that come to a status or leave it. */
export interface LiveFilter {
  readonly user?: string | undefined;
  readonly status?: string | undefined;
}

/** Exact numbers since the stream began. */
export interface Tally {
  /** How often an order came to each status, and how often one left it. */
  readonly entered: Readonly<Record<string, number>>;
  readonly left: Readonly<Record<string, number>>;
  /** How many orders were not shown, because too many of them moved. */
  readonly skipped: number;
}

/**
 * What one reader of all orders has not been sent yet. However many orders move and however slowly it reads, it keeps at most the
 * newest state of so many orders, and the tally.
 */
export interface LiveReader {
  note(moved: MovedOrder): void;
  /** An order that has moved while the reader was away. */
  catchUp(ledger: Ledger): void;
  /** How many orders there were when the tally began to count. */
  recount(counts: Counts): void;
  /** So many orders can't be shown. */
  skip(count: number): void;
  /** Whether there is something to send. */
  isBehind(): boolean;
  /** What to send next: some orders, and the tally and the first counts if they have changed. */
  take(): {
    readonly orders: readonly Ledger[];
    readonly tally: Tally | undefined;
    readonly counts: Counts | undefined;
  };
}

/** Whether it is an order of this customer; without one, it is one of all. */
export const isOrderOf = (ledger: Ledger, user: string | undefined): boolean =>
  user === undefined || (ledger as { readonly user?: unknown }).user === user;

export function createLiveReader({ user, status }: LiveFilter): LiveReader {
  const waiting = new Map<string, Ledger>();
  const entered: Record<string, number> = {};
  const left: Record<string, number> = {};
  let skipped = 0;
  let counts: Counts | undefined;
  // The first tally says that the stream has begun.
  let hasTally = true;

  function count(sums: Record<string, number>, of: string): void {
    if (status !== undefined && of !== status) return;
    sums[of] = (sums[of] ?? 0) + 1;
    hasTally = true;
  }

  function skip(orderCount: number): void {
    skipped += orderCount;
    hasTally = true;
  }

  function add(ledger: Ledger): void {
    // An order that waits already keeps its place.
    waiting.set(ledger.uuid, ledger);
    if (waiting.size <= WAITING_MAX) return;
    const [oldest = ''] = waiting.keys();
    waiting.delete(oldest);
    skip(1);
  }

  return {
    note(moved) {
      const { ledger } = moved;
      if (!isOrderOf(ledger, user)) return;
      const moves = movesOf(moved);
      for (const to of moves.entered) count(entered, to);
      for (const from of moves.left) count(left, from);
      if (status === undefined || [...moves.entered, ...moves.left].includes(status)) add(ledger);
    },
    recount(anew) {
      const isWanted = (one: string) => status === undefined || one === status;
      counts = Object.fromEntries(Object.entries(anew).filter(([one]) => isWanted(one)));
    },
    catchUp(ledger) {
      if (!isOrderOf(ledger, user) || (status !== undefined && ledger.status !== status)) return;
      if (!waiting.has(ledger.uuid)) add(ledger);
    },
    skip,
    isBehind: () => hasTally || counts !== undefined || waiting.size > 0,
    take() {
      const orders = [...waiting.values()].slice(0, SENT_AT_ONCE);
      for (const { uuid } of orders) waiting.delete(uuid);
      const tally = hasTally ? { entered: { ...entered }, left: { ...left }, skipped } : undefined;
      const taken = { orders, tally, counts };
      [hasTally, counts] = [false, undefined];
      return taken;
    },
  };
}
