import { type MovedOrder, movesOf } from '../saga/ledger/watch-ledgers.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { isOrderOf } from './live-reader.ts';
import { add, type Counted, type Counts, createInitialCounts } from './order-counts.ts';

/** How many orders are in each status, as they move. The store is counted once, however many readers there are. */
export interface LiveCounts {
  /** Is told all moves. */
  note(moved: MovedOrder): void;
  /** Has the store counted, the first time. @throws StoreError if it can't be read; then these counts are closed. */
  begin(): Promise<void>;
  /**
   * Tells a reader how many orders were in each status when it came: once the store is counted, and again once that is exact.
   * @returns what ends that.
   */
  follow(tell: (counts: Counts) => void): () => void;
}

/** So long after a commit, a watch has told of it, unless something is wrong. */
const SETTLED_MS = 10_000;

/** @param onClosed is called once, when the last reader has gone, or the store can't be counted. */
export function createLiveCounts(
  { store, clock, log }: Pick<Ports, 'store' | 'clock' | 'log'>,
  counted: Counted,
  onClosed: () => void,
): LiveCounts {
  const initial = createInitialCounts(store, counted);
  /** What has been noted so far; for each reader, what had been when it began. */
  const moves: Record<string, number> = {};
  const readers = new Map<(counts: Counts) => void, Counts>();
  let counts: Counts | undefined;
  let begun: Promise<void> | undefined;
  let callOff: () => unknown = () => {};
  let isClosed = false;

  const sumOf = (one: Counts, other: Counts): Counts =>
    Object.fromEntries(counted.statuses.map((status) => [status, (one[status] ?? 0) + (other[status] ?? 0)]));

  async function count(): Promise<void> {
    const read = await initial.read();
    if (isClosed) return;
    counts = read;
    for (const [tell, before] of readers) tell(sumOf(read, before));
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    callOff();
    initial.close();
    onClosed();
  }

  /** What was committed just before the store was counted may have been told since: that is known only now. */
  function settle(): void {
    if (isClosed) return;
    callOff = clock.after(SETTLED_MS, () => {
      count().then(
        () => initial.close(),
        (error) => {
          log('WARNING', 'frontend: the orders could not be counted again', { error: error.message });
          settle();
        },
      );
    });
  }

  return {
    note(moved) {
      if (!isOrderOf(moved.ledger, counted.user)) return;
      initial.note(moved);
      add(moves, movesOf(moved), 1);
    },
    begin() {
      begun ??= count().then(settle, (error) => {
        close();
        throw error;
      });
      return begun;
    },
    follow(tell) {
      const before = { ...moves };
      readers.set(tell, before);
      if (counts) tell(sumOf(counts, before));
      return () => {
        readers.delete(tell);
        if (readers.size === 0) close();
      };
    },
  };
}
