import { waitFor } from '../saga/http/wait-for.ts';
import { LEDGERS, type Ledger, SHARD_COUNT } from '../saga/ledger/ledger.ts';
import { type MovedOrder, watchLedgers } from '../saga/ledger/watch-ledgers.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { LATE_MS, StoreError } from '../saga/ports/store.ts';
import { createLiveCounts, type LiveCounts } from './live-counts.ts';
import { createLiveReader, type LiveFilter, type LiveReader, type Tally } from './live-reader.ts';
import type { Counted, Counts } from './order-counts.ts';

/** How often a reader is sent something. */
const PERIOD_MS = 250;
/** Of each shard, how many orders a reader is shown that moved while it was away. */
const CAUGHT_UP_MAX = 50;

/** What a reader is sent. */
export type LiveEvent =
  | { readonly ledger: Ledger }
  | { readonly tally: Tally }
  /** How many orders were in each status when the tally began. A later one replaces it. */
  | { readonly counts: Counts };

/** What a reader asks for. */
export interface LiveRequest extends LiveFilter {
  /** The reader was here before, and has seen what moved until then. */
  readonly since?: Date | undefined;
  /** Whether the orders are counted. */
  readonly counts?: boolean;
}

/** All orders, as they move on. One listener serves all readers of the process: it is there as long as there is a reader. */
export interface LiveOrders {
  /**
   * What a reader sees until it leaves, or until the store ends the listening: then it has to come back. All that is committed from
   * now on will be seen.
   * @param left says that the reader has left; it must in the end, even if nothing of the result is read.
   * @throws StoreError `unavailable` if the store does not tell in time what moves, or can't be read.
   */
  follow(request: LiveRequest, left: AbortSignal): Promise<AsyncIterable<LiveEvent>>;
}

type Listener = ReturnType<typeof openListener>;

/** The store's client may try again silently for minutes. Until then a reader would believe that nothing moves. */
const READY_MS_MAX = 10_000;

/**
 * @param statuses whose orders are counted.
 * @param closing ends all streams.
 */
export function createLiveOrders(
  ports: Pick<Ports, 'store' | 'clock' | 'log'>,
  statuses: readonly string[],
  closing: AbortSignal,
): LiveOrders {
  const { clock } = ports;
  let listener: Listener | undefined;

  function join(): Listener {
    if (listener === undefined || listener.over.aborted) listener = openListener(ports);
    listener.join();
    return listener;
  }

  /** @throws StoreError `unavailable` if the store does not tell in time what moves. */
  async function ready(shared: Listener, over: AbortSignal): Promise<void> {
    let isLate = false;
    await waitFor(over, (done) => {
      const callOff = clock.after(READY_MS_MAX, () => {
        isLate = true;
        done();
      });
      const forget = shared.whenReady(done);
      return () => {
        callOff();
        forget();
      };
    });
    if (isLate) throw new StoreError('unavailable', 'The store does not tell what moves');
  }

  return {
    async follow({ since, counts: isCounted = false, ...filter }, left) {
      const shared = join();
      const reader = createLiveReader(filter);
      const counting = isCounted ? shared.countingOf({ statuses, user: filter.user }) : undefined;
      let wake = () => {};
      const over = AbortSignal.any([left, closing, shared.over]);
      const wakeIfBehind = () => {
        if (reader.isBehind()) wake();
      };
      // Both begin at the same moment: what the reader counts comes on top of what it is told.
      const unsubscribe = shared.onMoved((moved) => {
        for (const one of moved) reader.note(one);
        wakeIfBehind();
      });
      const forget = counting?.follow((counts) => {
        reader.recount(counts);
        wakeIfBehind();
      });
      whenAborted(over, () => {
        unsubscribe();
        forget?.();
        shared.leave();
      });

      async function* events(): AsyncGenerator<LiveEvent> {
        for (;;) {
          await waitFor(over, (done) => {
            wake = done;
            if (reader.isBehind()) done();
            return () => {};
          });
          if (over.aborted) return;
          const { orders, tally, counts } = reader.take();
          for (const ledger of orders) yield { ledger };
          if (tally) yield { tally };
          if (counts) yield { counts };
          await waitFor(over, (done) => clock.after(PERIOD_MS, done));
        }
      }

      await ready(shared, over);
      if (since && !over.aborted) await catchUp(ports, reader, since);
      if (!over.aborted) await counting?.begin();
      return events();
    },
  };
}

function whenAborted(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

/** The listener that all readers share. */
function openListener(ports: Pick<Ports, 'store' | 'clock' | 'log'>) {
  const { store, clock, log } = ports;
  const over = new AbortController();
  const subscribers = new Set<(moved: readonly MovedOrder[]) => void>();
  const waiting = new Set<() => void>();
  /** By customer; undefined: of all. */
  const countings = new Map<string | undefined, LiveCounts>();
  let isReady = false;
  let readerCount = 0;
  const end = () => {
    watching.close();
    over.abort();
  };
  const watching = watchLedgers(
    { store, clock },
    {
      ready() {
        isReady = true;
        for (const done of waiting) done();
      },
      tell(moved) {
        if (isReady) for (const subscriber of subscribers) subscriber(moved);
      },
      fail(error) {
        log('WARNING', 'frontend: the live streams have ended', { error: error.message });
        end();
      },
    },
  );
  function onMoved(subscriber: (moved: readonly MovedOrder[]) => void) {
    subscribers.add(subscriber);
    return () => subscribers.delete(subscriber);
  }

  return {
    over: over.signal,
    join() {
      readerCount++;
    },
    leave() {
      readerCount--;
      if (readerCount === 0) end();
    },
    /** The counts that all readers of the same orders share. */
    countingOf(counted: Counted): LiveCounts {
      const known = countings.get(counted.user);
      if (known) return known;
      const counting = createLiveCounts(ports, counted, () => {
        countings.delete(counted.user);
        forget();
      });
      const forget = onMoved((moved) => moved.forEach(counting.note));
      countings.set(counted.user, counting);
      return counting;
    },
    onMoved,
    whenReady(done: () => void) {
      if (isReady) done();
      else waiting.add(done);
      return () => waiting.delete(done);
    },
  };
}

/** Shows a reader that comes back what has moved meanwhile. Where that is too much, the reader is told that something is left out. */
async function catchUp({ store, clock }: Pick<Ports, 'store' | 'clock'>, reader: LiveReader, since: Date) {
  const after = { moment: new Date(since.getTime() - LATE_MS), id: BEFORE_ALL };
  const found = await Promise.all(
    Array.from({ length: SHARD_COUNT }, (_, shard) =>
      store.due({
        collection: LEDGERS,
        where: { shard },
        field: 'movedAt',
        until: clock.now(),
        after,
        limit: CAUGHT_UP_MAX,
      }),
    ),
  );
  for (const documents of found) {
    if (documents.length === CAUGHT_UP_MAX) reader.skip(1);
    for (const { fields } of documents) reader.catchUp(fields as Ledger);
  }
}

/** Smaller than every uuid. */
const BEFORE_ALL = '-';
