import type { Data } from '../../data-init/load-data.ts';
import type { Line, Order } from '../../shop/order.ts';
import type { SeededRandom } from './seeded-random.ts';

export type { Line };
/** A word of people to an order that waits for them. */
export type Word = { readonly word: string; readonly items?: readonly Line[] };

/** The accounts before the first order, as a data file has them: those that are counted, and others. */
export type Loaded = Data & {
  readonly users: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly location?: { readonly lat: number; readonly lng: number };
        readonly credit?: number;
      }
    >
  >;
  readonly inventory: Readonly<
    Record<string, { readonly quantity: number; readonly price_per_unit: number }>
  >;
};

/** One order that a customer is going to place, and how. */
export interface PlannedOrder {
  readonly order: Order;
  /** Through the frontend, or as a message straight to its topic. */
  readonly by: 'http' | 'topic';
  /** The uuid, where the test must know it. */
  readonly uuid?: string;
  /** Given where the customer posts with an Idempotency-Key; then `posts` times, all of them one order. */
  readonly key?: string;
  readonly posts: number;
  /** How long after its acceptance the customer cancels it, in milliseconds; absent: never. */
  readonly cancelAfterMs?: number;
}

/** There is too little of it for all. */
export const HOT = 'gadget';
const PLENTY = ['widget', 'wotsit'];
const UNLIMITED = ['jack', 'jill'];
const LIMITED = 'joe';

/** Users and stock for so many orders: of the hot item and of the limited customer's credit there is too little. */
export function dataFor(orderCount: number): Loaded {
  return {
    users: {
      jack: { address: '1 Hill Road' },
      jill: { address: '2 Hill Road' },
      [LIMITED]: { address: '3 Mill Lane', location: { lat: 52.1, lng: 5.12 }, credit: 3 * orderCount },
    },
    inventory: {
      widget: { quantity: 1_000_000_000, price_per_unit: 10 },
      wotsit: { quantity: 1_000_000_000, price_per_unit: 15 },
      [HOT]: { quantity: Math.ceil(orderCount / 5), price_per_unit: 5 },
    },
  };
}

/** Whether the courier brings the parcel of this order back: one of sixteen. */
export const isBroughtBack = (uuid: string): boolean => uuid.endsWith('0');

/** What people make of an order that waits for them. */
const DECISIONS = ['approve', 'amend', 'contradict', 'cancel', 'silence'] as const;
export const decisionOn = (uuid: string): (typeof DECISIONS)[number] =>
  DECISIONS[Number.parseInt(uuid.slice(2, 6), 16) % DECISIONS.length] ?? 'approve';

/**
 * Draws the order number `index` of a run.
 * @param run tells this run's keys from those of every other.
 */
export function drawOrder(random: SeededRandom, run: string, index: number): PlannedOrder {
  const order: Order = {
    user: random.happens(0.01) ? 'nobody' : random.happens(0.25) ? LIMITED : random.pick(UNLIMITED),
    // Some ask for far more than there is: people decide on each of them.
    ...(random.happens(0.08)
      ? {
          items: [...linesOf(random, [random.pick(PLENTY)]), { item: HOT, quantity: 1_000 }],
          on_shortage: 'ask',
        }
      : { items: drawLines(random), ...(random.happens(0.3) && { on_shortage: 'ask' }) }),
    ...(random.happens(0.25) && { mode: 'orchestration' }),
    ...(random.happens(0.1) && { paymentError: random.pick(['true', 'null', '"declined"']) }),
    ...(random.happens(0.04) && { fail: random.pick(['inventory', 'payments']) }),
  };
  const byTopic = random.happens(0.05);
  const keyed = !byTopic && random.happens(0.15);
  return {
    order,
    by: byTopic ? 'topic' : 'http',
    ...(keyed && { key: `${run}-${index}` }),
    posts: keyed ? random.between(2, 3) : 1,
    ...(!byTopic && random.happens(0.05) && { cancelAfterMs: random.between(0, 1500) }),
  };
}

function drawLines(random: SeededRandom): Line[] {
  if (random.happens(0.01)) return [{ item: 'nothing', quantity: 1 }];
  if (random.happens(0.3)) return [{ item: HOT, quantity: random.between(1, 2) }];
  if (random.happens(0.2)) return linesOf(random, [...PLENTY, HOT]);
  return [{ item: random.pick(PLENTY), quantity: random.between(1, 5) }];
}

const linesOf = (random: SeededRandom, items: readonly string[]): Line[] =>
  items.map((item) => ({ item, quantity: random.between(1, 3) }));

/** Whether nothing but people's own will can keep the order from being paid. One that asks is content with a part. */
export const mustBePaid = ({ order }: PlannedOrder): boolean => {
  const isThere = ({ item }: Line) => PLENTY.includes(item);
  return (
    order.paymentError === undefined &&
    order.fail === undefined &&
    UNLIMITED.includes(order.user) &&
    (order.on_shortage === 'ask' ? order.items.some(isThere) : order.items.every(isThere))
  );
};

/** Why an order can't be paid, whatever happens; undefined where it might be. */
export function neverPaid({ order }: PlannedOrder): string | undefined {
  if (order.paymentError !== undefined) return 'its payment was to fail';
  if (order.fail !== undefined) return `${order.fail} was to fail`;
  if (order.user === 'nobody') return 'nobody knows its customer';
  return order.items.some(({ item }) => item === 'nothing') ? 'there is no such item' : undefined;
}

/** The order as it is posted. */
export function bodyOf({ user, items, on_shortage, mode, paymentError, fail }: Order): object {
  const [line, ...others] = items;
  return {
    user,
    ...(others.length === 0 ? line : { items }),
    ...(on_shortage && { on_shortage }),
    ...(mode && { mode }),
    ...(paymentError !== undefined && { 'payment-error': JSON.parse(paymentError) }),
    ...(fail !== undefined && { fail }),
  };
}
