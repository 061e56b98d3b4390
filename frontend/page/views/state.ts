import { computed, signal } from '@preact/signals';
import type { Definition } from '../../definition-route.ts';
import type { Counts } from '../../order-counts.ts';
import { authorization, get, Refusal } from '../model/api.ts';
import { type Connection, follow, type Page } from '../model/event-stream.ts';
import {
  begun,
  countsOf,
  type Landmarks,
  type LiveOrders,
  NO_ORDERS,
  type Tally,
  withListed,
  withOrders,
  withTally,
} from '../model/live-orders.ts';
import { CANCELED, type Order, RECEIVED } from '../model/order.ts';
import type { Locks } from '../model/stream-slot.ts';

/** What the whole page knows: one value of each kind, which views read and events change. */

/** The saga; undefined until the server has said what it is. */
export const definition = signal<Definition | undefined>(undefined);
/** The routes that this server answers, such as "POST /sweep". A page on Google has fewer than one on a laptop. */
export const routes = signal<ReadonlySet<string>>(new Set());
export const connection = signal<Connection>('connecting');
/** Whether the server has said which orders there are. */
export const isListKnown = signal(false);
export const live = signal<LiveOrders>(NO_ORDERS);
/** The uuid of the order that the shop shows. */
export const latestOrder = signal<string | undefined>(undefined);
/** Whether each step of an order is shown for at least a second. */
export const slowMotion = signal(false);

export interface Item {
  readonly item: string;
  readonly quantity: number;
  readonly reserved: number;
  readonly sold: number;
  readonly price_per_unit: number;
}
export interface Customer {
  readonly user: string;
  readonly address: string;
  readonly credit?: number;
  readonly credit_limit?: number;
}
export const stock = signal<readonly Item[] | undefined>(undefined);
export const customers = signal<readonly Customer[] | undefined>(undefined);
/** Whether this person may see who the customers are. */
export const areCustomersListed = signal(true);

/** Whether the server answers a route, as `GET /` lists it. */
export const offers = (route: string): boolean => routes.value.has(route);

/** Where an order rests: it has ended, or waits for a word from outside. */
export const landmarks = computed<Landmarks>(() => ({
  first: RECEIVED,
  rests: new Set([
    CANCELED,
    definition.value?.success ?? '',
    ...(definition.value?.groups.flat() ?? []).flatMap(({ waits }) => (waits ? [waits.status] : [])),
  ]),
}));

/** How many orders are in each status. What was committed just as the stream began may be missing for some seconds. */
export const counts = computed<Counts>(() =>
  Object.fromEntries(
    Object.entries(countsOf(live.value)).map(([status, count]) => [status, Math.max(0, count)]),
  ),
);

/** How many orders are on their way, and rest nowhere. */
export const standingCount = computed(() =>
  Object.entries(counts.value)
    .filter(([status]) => !landmarks.value.rests.has(status))
    .reduce((sum, [, count]) => sum + count, 0),
);

export async function loadStock(): Promise<void> {
  stock.value = (await get<{ items: Item[] }>('/inventory')).items;
}
/** Where customers are told apart, only operators may list them. */
export async function loadCustomers(): Promise<void> {
  if (!areCustomersListed.value) return;
  try {
    customers.value = (await get<{ users: Customer[] }>('/users')).users;
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 403) throw error;
    areCustomersListed.value = false;
    customers.value = [];
  }
}

/** What there is, before anything is followed. */
export async function loadPage(): Promise<void> {
  const [saga, index] = await Promise.all([get<Definition>('/saga'), get<{ routes: string[] }>('/')]);
  definition.value = saga;
  routes.value = new Set(index.routes.map((line) => line.split(':')[0] ?? ''));
}

/** A person sees no more than some changes a second, so events are gathered for this long. */
const GATHER_MS = 250;
/** After so long, a question that was not answered is asked again. */
const RETRY_MS = 1_500;

/** Follows all orders. Stock and credit are asked for again when orders have moved. */
export function followOrders(page: Page, locks: Locks | undefined): () => void {
  let moved: Order[] = [];
  let tally: Tally | undefined;
  let initial: Counts | undefined;
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let isStale = false;

  function show(): void {
    timer = undefined;
    const second = Math.floor(Date.now() / 1000);
    let next = live.value;
    if (moved.length > 0) next = withOrders(next, moved, landmarks.value, second);
    if (tally) next = withTally(next, tally, landmarks.value, second);
    if (initial) next = { ...next, initial };
    [moved, tally, initial] = [[], undefined, undefined];
    live.value = next;
    refreshAccounts();
  }

  let isRefreshing = false;
  /** Stock and credit, at most once a second. */
  function refreshAccounts(): void {
    isStale = true;
    if (isRefreshing) return;
    isRefreshing = true;
    isStale = false;
    void Promise.allSettled([loadStock(), loadCustomers()]).then(() =>
      setTimeout(() => {
        isRefreshing = false;
        if (isStale) refreshAccounts();
      }, 1000),
    );
  }

  /** The newest orders: the stream tells only those that move. */
  function loadOrders(): void {
    clearTimeout(retry);
    get<{ orders: Order[] }>('/orders?limit=100').then(
      ({ orders }) => {
        live.value = withListed(live.value, orders);
        isListKnown.value = true;
        refreshAccounts();
      },
      () => {
        clearTimeout(retry);
        if (!isStopped) retry = setTimeout(loadOrders, RETRY_MS);
      },
    );
  }

  const stop = follow('/events?counts=true', {
    headers: authorization,
    page,
    locks,
    onConnection(now) {
      connection.value = now;
      if (now === 'live') live.value = begun(live.value);
      if (now === 'live' || now === 'crowded') loadOrders();
    },
    onEvent({ event, data }) {
      if (event === 'order') moved.push(JSON.parse(data) as Order);
      else if (event === 'tally') tally = JSON.parse(data) as Tally;
      else if (event === 'counts') initial = JSON.parse(data) as Counts;
      timer ??= setTimeout(show, GATHER_MS);
    },
  });
  return () => {
    isStopped = true;
    stop();
    clearTimeout(timer);
    clearTimeout(retry);
  };
}

/** Where the page is: `#/order/{uuid}`, `#/orders`, … */
export const place = signal<string>('');
export const at = (path: string): boolean => place.value === path || place.value.startsWith(`${path}/`);
