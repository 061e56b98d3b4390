import { statusIn } from '../saga/ledger/history.ts';
import type { Ledger } from '../saga/ledger/ledger.ts';
import type { MovedOrder } from '../saga/ledger/watch-ledgers.ts';

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
  /** So many orders can't be shown. */
  skip(count: number): void;
  /** Whether there is something to send. */
  isBehind(): boolean;
  /** What to send next: some orders, and the tally if it has changed. */
  take(): { readonly orders: readonly Ledger[]; readonly tally: Tally | undefined };
}

export function createLiveReader({ user, status }: LiveFilter): LiveReader {
  const waiting = new Map<string, Ledger>();
  const entered: Record<string, number> = {};
  const left: Record<string, number> = {};
  let skipped = 0;
  // The first tally says that the stream has begun.
  let hasTally = true;

  const isTheirs = (ledger: Ledger): boolean =>
    user === undefined || (ledger as { readonly user?: unknown }).user === user;

  function count(counts: Record<string, number>, of: string): void {
    if (status !== undefined && of !== status) return;
    counts[of] = (counts[of] ?? 0) + 1;
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
    note({ ledger, told }) {
      if (!isTheirs(ledger)) return;
      const statuses = ledger.history.map(statusIn);
      // The status in which the order was told last, and those that it came to since.
      const passed = statuses.slice(Math.max(0, told - 1));
      for (const to of statuses.slice(told)) count(entered, to);
      for (const from of passed.slice(0, -1)) count(left, from);
      if (status === undefined || passed.includes(status)) add(ledger);
    },
    catchUp(ledger) {
      if (!isTheirs(ledger) || (status !== undefined && ledger.status !== status)) return;
      if (!waiting.has(ledger.uuid)) add(ledger);
    },
    skip,
    isBehind: () => hasTally || waiting.size > 0,
    take() {
      const orders = [...waiting.values()].slice(0, SENT_AT_ONCE);
      for (const { uuid } of orders) waiting.delete(uuid);
      const tally = hasTally ? { entered: { ...entered }, left: { ...left }, skipped } : undefined;
      hasTally = false;
      return { orders, tally };
    },
  };
}
