import { pipeline } from '../../pipeline.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/deliver/message.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { Dice } from './chance.ts';

/**
 * What will go wrong in a simulated world, as plain data. It is drawn from the seed before anything happens, so that it
 * can be printed, and so that a part of it can be left out to see whether the rest still does the harm.
 */
export interface Plan {
  readonly seed: number;
  /** How long a stage of an order may take. */
  readonly deadlineSeconds: number;
  /** Whether somebody sweeps once everything else has come to rest. */
  readonly swept: boolean;
  /** How many processes of each service run. */
  readonly instances: Readonly<Record<string, number>>;
  readonly items: Readonly<Record<string, { readonly quantity: number; readonly price_per_unit: number }>>;
  readonly users: Readonly<Record<string, { readonly credit?: number }>>;
  readonly orders: readonly PlannedOrder[];
  readonly faults: readonly Fault[];
}

export const SERVICE_NAMES = serviceNames(pipeline);

export interface PlannedOrder {
  readonly name: string;
  readonly atMs: number;
  /**
   * How it comes in: posted with an idempotency key and repeated until it is accepted; posted once without one;
   * published straight to the topic `frontend`, with a uuid of its own or without one.
   */
  readonly via: 'key' | 'post' | 'topic' | 'nameless';
  readonly user: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
  readonly paymentError: boolean;
}

/** Which effect of a process: `nth` counts from 1, over all its lives. A process is named `order#0`. */
interface AtEffect {
  readonly process: string;
  readonly nth: number;
}
interface AtDelivery {
  readonly subscription: string;
  readonly nth: number;
}

export type Fault =
  /** The process dies at an effect: just before it takes place, or before it learns that it did. */
  | ({ readonly kind: 'crash'; readonly when: 'before' | 'after' } & AtEffect)
  /** The process sleeps before an effect, and wakes with what it knew. */
  | ({ readonly kind: 'pause'; readonly seconds: number } & AtEffect)
  /** `lost answer` and `own success`: the commit went through, but the process hears of an error. */
  | ({
      readonly kind: 'commit';
      readonly result: 'conflict' | 'unavailable' | 'lost answer' | 'own success';
    } & AtEffect)
  | ({ readonly kind: 'read' } & AtEffect)
  /** `lost answer`: it was published, but the process hears of an error. `twice`: under two message ids. */
  | ({ readonly kind: 'publish'; readonly result: 'error' | 'lost answer' | 'twice' } & AtEffect)
  | { readonly kind: 'store away' | 'bus away'; readonly atMs: number; readonly seconds: number }
  /** The broker hands the same message out a second time, at the same time or later. */
  | ({ readonly kind: 'duplicate'; readonly seconds: number } & AtDelivery)
  | ({ readonly kind: 'late'; readonly seconds: number } & AtDelivery)
  | ({ readonly kind: 'lost ack' } & AtDelivery)
  /** A person pulls the message from the service's subscription and acks it. */
  | ({ readonly kind: 'stolen' } & AtDelivery)
  /** Somebody publishes a message about an order by hand, when its time has not come or is long over. */
  | {
      readonly kind: 'forged';
      readonly topic: string;
      readonly order: string;
      readonly atMs: number;
    }
  /** Somebody publishes what is no message to the topic that a service reads. */
  | { readonly kind: 'poison'; readonly topic: string; readonly atMs: number }
  /** An operator sets another price. */
  | { readonly kind: 'price'; readonly item: string; readonly price: number; readonly atMs: number }
  | { readonly kind: 'cancel'; readonly order: string; readonly atMs: number }
  | { readonly kind: 'sweep'; readonly atMs: number };

export type FaultKind = Fault['kind'];
export const FAULT_KINDS: readonly FaultKind[] = [
  'crash',
  'pause',
  'commit',
  'read',
  'publish',
  'store away',
  'bus away',
  'duplicate',
  'late',
  'lost ack',
  'stolen',
  'forged',
  'poison',
  'price',
  'cancel',
  'sweep',
];

/** The subscriptions by which the messages of orders reach services, and their topics. */
const READ_BY_SERVICES = Object.entries(topologyOf(pipeline).subscriptions).filter(
  ([, { service, topic }]) => service !== undefined && topic !== DEAD_LETTER_TOPIC,
);
const SUBSCRIPTIONS = READ_BY_SERVICES.map(([name]) => name);
const TOPICS = READ_BY_SERVICES.map(([, { topic }]) => topic);
const ITEMS = ['widget', 'wotsit', 'gadget'] as const;
const ORDERS_MAX = 8;
const FAULTS_MAX = 10;
/** When orders come in: close enough to each other to be in each other's way. */
const ARRIVALS_MS = 300;
/** When people do something to orders: mostly while these are under way. */
const DEEDS_MS = 600;

/** Where a plan is to be less than everything that can go wrong. */
export interface PlanLimits {
  readonly kinds?: readonly FaultKind[];
  /** How orders may come in. */
  readonly via?: readonly PlannedOrder['via'][];
  readonly swept?: boolean;
  readonly orderMax?: number;
}

/** Draws the plan that belongs to a seed. */
export function drawPlan(
  seed: number,
  {
    kinds = FAULT_KINDS,
    via = ['key', 'key', 'post', 'topic', 'nameless'],
    swept = true,
    orderMax = ORDERS_MAX,
  }: PlanLimits = {},
): Plan {
  const dice = new Dice(`plan ${seed}`);
  const items = Object.fromEntries(
    ITEMS.map((item) => [item, { quantity: dice.whole(0, 12), price_per_unit: dice.whole(1, 9) }]),
  );
  const users = { jack: {}, jill: { credit: dice.whole(20, 90) }, joe: { credit: dice.whole(0, 40) } };
  const orders = Array.from({ length: dice.whole(Math.min(2, orderMax), orderMax) }, (_, index) =>
    drawOrder(dice, `o${index}`, via, Object.keys(items), Object.keys(users)),
  );
  const instances = Object.fromEntries(SERVICE_NAMES.map((name) => [name, dice.whole(1, 2)]));
  const faults = Array.from({ length: kinds.length === 0 ? 0 : dice.whole(1, FAULTS_MAX) }, () =>
    drawFault(dice, dice.oneOf(kinds), instances, orders),
  );
  // Half of the worlds are in a hurry: their deadlines race with the work.
  const deadlineSeconds = kinds.includes('sweep') && dice.often(0.5) ? dice.whole(1, 20) : 900;
  return { seed, deadlineSeconds, swept, instances, items, users, orders, faults };
}

function drawOrder(
  dice: Dice,
  name: string,
  via: readonly PlannedOrder['via'][],
  items: readonly string[],
  users: readonly string[],
): PlannedOrder {
  return {
    name,
    atMs: dice.whole(0, ARRIVALS_MS),
    via: dice.oneOf(via),
    user: dice.often(0.03) ? 'nobody' : dice.oneOf(users),
    items: (dice.often(0.03) ? ['nothing'] : dice.someOf(items, 3)).map((item) => ({
      item,
      quantity: dice.whole(1, 3),
    })),
    paymentError: dice.often(0.1),
  };
}

function drawFault(
  dice: Dice,
  kind: FaultKind,
  instances: Plan['instances'],
  orders: readonly PlannedOrder[],
): Fault {
  const service = dice.oneOf(SERVICE_NAMES);
  const process = `${service}#${dice.whole(0, (instances[service] ?? 1) - 1)}`;
  const subscription = dice.oneOf(SUBSCRIPTIONS);
  const order = dice.oneOf(orders).name;
  const atMs = dice.whole(0, DEEDS_MS);
  const nth = dice.whole(1, orders.length);
  switch (kind) {
    case 'crash':
      return { kind, process, nth: dice.whole(1, 20), when: dice.oneOf(['before', 'after']) };
    case 'pause':
      return { kind, process, nth: dice.whole(1, 20), seconds: dice.whole(5, 120) };
    case 'commit':
      return {
        kind,
        process,
        nth,
        result: dice.oneOf(['conflict', 'unavailable', 'lost answer', 'own success']),
      };
    case 'read':
      return { kind, process, nth };
    case 'publish':
      return { kind, process, nth, result: dice.oneOf(['error', 'lost answer', 'twice']) };
    case 'store away':
    case 'bus away':
      return { kind, atMs, seconds: dice.whole(1, 30) };
    case 'duplicate':
      return { kind, subscription, nth, seconds: dice.oneOf([0, 0, 1, 30]) };
    case 'late':
      return { kind, subscription, nth, seconds: dice.whole(1, 60) };
    case 'lost ack':
    case 'stolen':
      return { kind, subscription, nth };
    case 'forged':
      return {
        kind,
        topic: dice.oneOf([...TOPICS, pipeline.failure.topic]),
        order,
        atMs,
      };
    case 'poison':
      return { kind, topic: dice.oneOf(TOPICS), atMs };
    case 'price':
      return { kind, item: dice.oneOf(ITEMS), price: dice.whole(1, 9), atMs };
    case 'cancel':
      return { kind, order, atMs };
    case 'sweep':
      return { kind, atMs: atMs * dice.oneOf([1, 10, 100]) };
  }
}
