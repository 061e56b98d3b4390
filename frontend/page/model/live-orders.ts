import type { Tally } from '../../live-reader.ts';
import type { Counts } from '../../order-counts.ts';
import type { Order } from './order.ts';

export type { Tally };

/** All orders as they move: the newest of them, how many are where, and how fast they go. */
export interface LiveOrders {
  /** The newest first, no more than a person can look through. */
  readonly orders: readonly Order[];
  /** How many orders were in each status when the tally began to count. */
  readonly initial: Counts;
  /** The last seconds in which anything moved, oldest first. */
  readonly seconds: readonly Second[];
  /** What the stream has counted so far. */
  readonly tally: Tally;
}

export interface Second {
  /** In seconds since 1970. */
  readonly at: number;
  readonly accepted: number;
  /** How many came to rest: they ended, or wait for a word from outside. */
  readonly settled: number;
  /** How long the orders that were shown took to come to rest, in milliseconds. */
  readonly latenciesMs: readonly number[];
}

/** Which statuses mean what, for the plots. */
export interface Landmarks {
  readonly first: string;
  /** Here an order rests. */
  readonly rests: ReadonlySet<string>;
}

export const ORDERS_MAX = 200;
export const SECONDS_MAX = 120;
const LATENCIES_MAX = 500;

const NO_TALLY: Tally = { entered: {}, left: {}, skipped: 0 };

/** Before anything is known. */
export const NO_ORDERS: LiveOrders = { orders: [], initial: {}, seconds: [], tally: NO_TALLY };

/** A stream has begun, whose tally counts from 0. Until it says how many orders there were, the last numbers stand. */
export const begun = (live: LiveOrders): LiveOrders => ({
  ...live,
  initial: countsOf(live),
  tally: NO_TALLY,
});

/** The orders that there are, besides those that the stream has told. */
export const withListed = (live: LiveOrders, orders: readonly Order[]): LiveOrders => ({
  ...live,
  orders: newestOf([...live.orders, ...orders]),
});

/** How many orders are in each status. */
export function countsOf({
  initial,
  tally: { entered, left },
}: Pick<LiveOrders, 'initial' | 'tally'>): Counts {
  const statuses = Object.keys({ ...initial, ...entered });
  return Object.fromEntries(
    statuses.map((status) => [status, (initial[status] ?? 0) + (entered[status] ?? 0) - (left[status] ?? 0)]),
  );
}

/** Each order once, as it was last. After a reconnection, an event may come once more, and a newer one may have come first. */
export function newestOf(orders: readonly Order[]): readonly Order[] {
  const newest = new Map<string, Order>();
  for (const order of orders) {
    const known = newest.get(order.uuid);
    if (known === undefined || known.history.length < order.history.length) newest.set(order.uuid, order);
  }
  return [...newest.values()].sort(newestFirst).slice(0, ORDERS_MAX);
}

/**
 * Each order takes the place of what was known of it; a new one comes first.
 * @param second in which they were heard of.
 */
export function withOrders(
  live: LiveOrders,
  moved: readonly Order[],
  { rests }: Landmarks,
  second: number,
): LiveOrders {
  const known = new Map(live.orders.map((order) => [order.uuid, order]));
  const latenciesMs = moved
    .filter(({ uuid, status }) => rests.has(status) && !rests.has(known.get(uuid)?.status ?? ''))
    .map(tookMs);
  return {
    ...live,
    orders: newestOf([...live.orders, ...moved]),
    seconds: inSecond(live.seconds, second, { latenciesMs }),
  };
}

/** The stream has counted on. */
export function withTally(
  live: LiveOrders,
  tally: Tally,
  { first, rests }: Landmarks,
  second: number,
): LiveOrders {
  const came = (status: string) => (tally.entered[status] ?? 0) - (live.tally.entered[status] ?? 0);
  const settled = [...rests].reduce((sum, status) => sum + came(status), 0);
  return {
    ...live,
    tally,
    seconds: inSecond(live.seconds, second, { accepted: came(first), settled }),
  };
}

const newestFirst = (one: Order, other: Order): number =>
  one.createdAt === other.createdAt ? 0 : one.createdAt < other.createdAt ? 1 : -1;

const tookMs = ({ createdAt, updatedAt }: Order): number => Date.parse(updatedAt) - Date.parse(createdAt);

function inSecond(
  seconds: readonly Second[],
  at: number,
  { accepted = 0, settled = 0, latenciesMs = [] }: Partial<Second>,
): readonly Second[] {
  if (accepted === 0 && settled === 0 && latenciesMs.length === 0) return seconds;
  const last = seconds.at(-1);
  const same = last?.at === at ? last : { at, accepted: 0, settled: 0, latenciesMs: [] };
  const grown: Second = {
    at,
    accepted: same.accepted + accepted,
    settled: same.settled + settled,
    latenciesMs: [...same.latenciesMs, ...latenciesMs].slice(-LATENCIES_MAX),
  };
  return [...(same === last ? seconds.slice(0, -1) : seconds), grown].slice(-SECONDS_MAX);
}

/** One number for each of the last seconds, in columns, as a plot wants them; a second without events has none moved. */
export function plotColumns(seconds: readonly Second[], now: number, width: number) {
  const byTime = new Map(seconds.map((second) => [second.at, second]));
  const times = Array.from({ length: width }, (_, index) => now - width + 1 + index);
  return {
    times,
    accepted: times.map((at) => byTime.get(at)?.accepted ?? 0),
    settled: times.map((at) => byTime.get(at)?.settled ?? 0),
    latencyMs: times.map((at) => medianOf(byTime.get(at)?.latenciesMs ?? [])),
  };
}

/** Null for no numbers at all. */
function medianOf(numbers: readonly number[]): number | null {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
