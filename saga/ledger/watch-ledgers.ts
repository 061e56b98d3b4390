import type { Clock } from '../ports/clock.ts';
import { LATE_MS, type Store, type StoredDocument, type StoreError, type Watching } from '../ports/store.ts';
import { copiedCount, lastTransition, statusIn, transitionsOf } from './history.ts';
import { LEDGERS, type Ledger, SHARD_COUNT } from './ledger.ts';

/** An order that has moved on. */
export interface MovedOrder {
  /** As it is stored: whoever shows it has to read it first (`readLedger`). Only its history is sure to be one. */
  readonly ledger: Ledger;
  /** How many of its transitions were told before. Those behind them are new. */
  readonly told: number;
}

/** To which statuses an order has come since it was told, and which it has left. What a fork has of another order was never its own. */
export function movesOf({ ledger, told }: MovedOrder): { entered: string[]; left: string[] } {
  const statuses = ledger.history.map(statusIn);
  const wasThere = told > copiedCount(ledger);
  return { entered: statuses.slice(told), left: statuses.slice(wasThere ? told - 1 : told, -1) };
}

/** Of so many orders it is remembered how many transitions were told. */
const REMEMBERED_MAX = 50_000;

/**
 * Watches all orders, and tells each of their transitions exactly once, those of one order together if they come fast. They are
 * watched shard by shard, as they are listed.
 * @param ready is called once: every transition that is committed from then on will be told.
 * @param fail is called if nothing more can be told; then all has to be begun anew.
 */
export function watchLedgers(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  {
    ready,
    tell,
    fail,
  }: {
    readonly ready: () => void;
    readonly tell: (moved: readonly MovedOrder[]) => void;
    readonly fail: (error: StoreError) => void;
  },
): Watching {
  const since = new Date(clock.now().getTime() - LATE_MS);
  const memory = createMemory(since, clock);
  let awaitedCount = SHARD_COUNT;

  function watchShard(shard: number): Watching {
    let isFirst = true;
    const told = (documents: readonly StoredDocument[]) => {
      const moved = documents.flatMap(({ fields }) => memory.newIn(fields));
      if (!isFirst) {
        tell(moved);
        return;
      }
      // These were there before.
      isFirst = false;
      awaitedCount--;
      if (awaitedCount === 0) ready();
    };
    return store.watchChanges({ collection: LEDGERS, where: { shard }, field: 'movedAt', since }, told, fail);
  }

  const watchings = Array.from({ length: SHARD_COUNT }, (_, shard) => watchShard(shard));
  return {
    close() {
      for (const watching of watchings) watching.close();
    },
  };
}

/** Remembers how many transitions of each order were told. It is bounded: the orders that moved longest ago are forgotten. */
function createMemory(since: Date, clock: Clock) {
  const counts = new Map<string, { readonly count: number; readonly at: Date }>();
  /** Of an order that is not remembered, all transitions until then were told, or are none of ours. */
  let forgottenUntil = since;

  function remember({ uuid, history }: Ledger, at: Date): void {
    counts.delete(uuid);
    counts.set(uuid, { count: history.length, at });
    if (counts.size <= REMEMBERED_MAX) return;
    for (const [oldest, { at: until }] of counts) {
      counts.delete(oldest);
      // A writer whose clock is ahead must not hide what others write.
      if (until > forgottenUntil && until <= clock.now()) forgottenUntil = until;
      return;
    }
  }

  return {
    /** The order, if something is new in it. */
    newIn(fields: object): MovedOrder[] {
      if (!isLegible(fields)) return [];
      const known = counts.get(fields.uuid)?.count;
      const told = Math.max(
        known ?? transitionsOf(fields).filter(({ at }) => at <= forgottenUntil).length,
        // What a fork has of another order was told there.
        copiedCount(fields),
      );
      remember(fields, lastTransition(fields).at);
      return told < fields.history.length ? [{ ledger: fields, told }] : [];
    },
  };
}

/** Whether the history can be read. Nothing else of it is needed here, and most of what is told is never shown. */
function isLegible(fields: object): fields is Ledger {
  const { uuid, history, forkOf } = fields as Partial<Ledger>;
  return (
    (forkOf === undefined || forkOf?.at instanceof Date) &&
    typeof uuid === 'string' &&
    Array.isArray(history) &&
    history.length > 0 &&
    history.every((line) => typeof line === 'string')
  );
}
