import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Path } from '../../saga/ports/store.ts';
import { DEAD_LETTER_TOPIC, isWaitingStep, type Saga } from '../../saga/step/saga.ts';
import type { Word } from '../../saga/step/wait.ts';
import { Dice } from './chance.ts';
import { drawClocks } from './clocks.ts';
import type { Data, Subject } from './subject.ts';
import { wordFor } from './words.ts';
import { deedsOf } from './world/deeds.ts';

/**
 * What will go wrong in a simulated world, as plain data. It is drawn from the seed before anything happens, so that it
 * can be printed, and so that a part of it can be left out to see whether the rest still does the harm.
 */
export interface Plan {
  readonly seed: number;
  /** How long a stage of an order may take. */
  readonly deadlineSeconds: number;
  /** Whether there is a sweep once everything else has come to rest. */
  readonly swept: boolean;
  /** How many processes of each service run. */
  readonly instances: Readonly<Record<string, number>>;
  /** What there is before the first order. */
  readonly data: Data;
  readonly orders: readonly PlannedOrder[];
  readonly faults: readonly Fault[];
}

export interface PlannedOrder {
  readonly name: string;
  readonly atMs: number;
  /** How it comes in: published to the entry topic, with a uuid of its own or without one, or by a way of the customers. */
  readonly via: string;
  /** What is ordered, as the ledger keeps it. */
  readonly order: object;
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
  /** A person publishes a message about an order by hand, when its time has not come or is long over. */
  | {
      readonly kind: 'forged';
      readonly topic: string;
      readonly order: string;
      readonly atMs: number;
    }
  /** A person publishes what is no message to the topic that a service reads. */
  | { readonly kind: 'poison'; readonly topic: string; readonly atMs: number }
  /** An operator edits a document by hand, to set another price for example. */
  | { readonly kind: 'edit'; readonly path: Path; readonly fields: object; readonly atMs: number }
  /** A customer cancels an order; late: once all orders have come to their ends. */
  | { readonly kind: 'cancel'; readonly order: string; readonly atMs: number; readonly isLate?: boolean }
  /** Somebody says a word for which a step can wait, be it that the order waits for it, did, or never will. */
  | {
      readonly kind: 'word';
      readonly order: string;
      readonly step: string;
      readonly word: Word;
      /** Published where the step listens, if it does, or over HTTP. */
      readonly isPublished: boolean;
      readonly atMs: number;
    }
  | { readonly kind: 'sweep'; readonly atMs: number }
  /** The services sweep unasked, as they do where an interval is set. */
  | { readonly kind: 'patrol'; readonly everySeconds: number }
  /** A stream to a process is dead and looks like one without messages. The watchdogs of that service are there to notice. */
  | {
      readonly kind: 'silent';
      readonly service: string;
      readonly process: string;
      readonly subscription: string;
      readonly atMs: number;
    }
  /** Somebody does something that takes part in no saga, by its name: an operator at the desk, or whom the subject names. */
  | { readonly kind: 'deed'; readonly deed: string; readonly order: string; readonly atMs: number }
  /** From this moment on, the clock of a process shows so much more than the right time; less where it is below 0. */
  | { readonly kind: 'clock'; readonly process: string; readonly offsetMs: number; readonly atMs: number };

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
  'edit',
  'cancel',
  'word',
  'sweep',
  'patrol',
  'silent',
  'deed',
  'clock',
];
/** Clocks are drawn for a whole world, and everything else is the same in that world with right clocks. */
type SingleFaultKind = Exclude<FaultKind, 'clock'>;

/** The subscriptions by which the messages of orders reach services, and their topics. */
const readByServices = (saga: Saga) =>
  Object.entries(topologyOf(saga).subscriptions).flatMap(([subscription, { service, topic }]) =>
    service === undefined || topic === DEAD_LETTER_TOPIC ? [] : [{ subscription, topic, service }],
  );

const ORDERS_MAX = 8;
const FAULTS_MAX = 10;
/** When orders come in: close enough to each other to be in each other's way. */
const ARRIVALS_MS = 300;
/** When people do something to orders: mostly while these are under way, which is longer with each step. */
const DEEDS_MS_PER_STEP = 200;

/** Where a plan is to be less than everything that can go wrong. */
export interface PlanLimits {
  readonly kinds?: readonly FaultKind[];
  /** How orders may come in. */
  readonly via?: readonly string[];
  readonly swept?: boolean;
  /** What people may do besides, by its name. */
  readonly deeds?: readonly string[];
  /** What goes wrong in each of the worlds. */
  readonly always?: readonly Fault[];
  readonly orderMax?: number;
}

/** The ways in which the orders of every saga may come in. */
const VIA = ['topic', 'nameless'] as const;

/** Draws the plan that belongs to a seed. */
export function drawPlan(subject: Subject, seed: number, limits: PlanLimits = {}): Plan {
  const { saga, data, anOrder, customers } = subject;
  const { kinds = kindsFor(subject), via = customers?.via ?? VIA } = limits;
  const { swept = true, orderMax = ORDERS_MAX, always = [] } = limits;
  const { deeds = Object.keys(deedsOf(subject)) } = limits;
  const dice = new Dice(`plan ${seed}`);
  const drawn = typeof data === 'function' ? data(dice) : data;
  const orders = Array.from(
    { length: dice.whole(Math.min(2, orderMax), orderMax) },
    (_, index): PlannedOrder => ({
      name: `o${index}`,
      atMs: dice.whole(0, ARRIVALS_MS),
      via: dice.oneOf(via),
      order: anOrder(dice),
    }),
  );
  const instances = Object.fromEntries(serviceNames(saga).map((name) => [name, dice.whole(1, 2)]));
  const read = readByServices(saga);
  const single = kinds.filter((kind): kind is SingleFaultKind => kind !== 'clock');
  const faults = Array.from({ length: single.length === 0 ? 0 : dice.whole(1, FAULTS_MAX) }, () =>
    drawFault(subject, read, deeds, dice, dice.oneOf(single), instances, orders),
  );
  // Half of the worlds are in a hurry: their deadlines race with the work.
  const isHurried = kinds.includes('sweep') && dice.often(0.5);
  // Where a subscription is silent for long, a watchdog must help, not the deadline.
  const patienceSeconds = faults.some(({ kind }) => kind === 'silent') ? 86_400 : 900;
  const deadlineSeconds = isHurried ? dice.whole(1, 20) : patienceSeconds;
  const clocks = kinds.includes('clock')
    ? drawClocks(saga, { seed, deadlineSeconds, instances, faults })
    : [];
  const allFaults = [...always, ...faults, ...clocks];
  return { seed, deadlineSeconds, swept, instances, data: drawn, orders, faults: allFaults };
}

const kindsFor = ({ saga, anEdit }: Subject): readonly FaultKind[] =>
  FAULT_KINDS.filter(
    (kind) =>
      (kind !== 'edit' || anEdit !== undefined) && (kind !== 'word' || saga.steps.some(isWaitingStep)),
  );

function drawFault(
  subject: Subject,
  read: ReturnType<typeof readByServices>,
  deeds: readonly string[],
  dice: Dice,
  kind: SingleFaultKind,
  instances: Plan['instances'],
  orders: readonly PlannedOrder[],
): Fault {
  const { saga, anEdit } = subject;
  const topics = read.map(({ topic }) => topic);
  const service = dice.oneOf(serviceNames(saga));
  const process = `${service}#${dice.whole(0, (instances[service] ?? 1) - 1)}`;
  const { subscription } = dice.oneOf(read);
  const order = dice.oneOf(orders).name;
  const atMs = dice.whole(0, DEEDS_MS_PER_STEP * saga.steps.length);
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
        topic: dice.oneOf([...topics, saga.failure.topic]),
        order,
        atMs,
      };
    case 'poison':
      return { kind, topic: dice.oneOf(topics), atMs };
    case 'edit':
      if (anEdit === undefined) throw new Error('Nothing was said about what can be edited');
      return { kind, ...anEdit(dice), atMs };
    case 'cancel':
      return { kind, order, atMs, ...(dice.often(0.3) && { isLate: true }) };
    case 'word': {
      const step = dice.oneOf(saga.steps.filter(isWaitingStep));
      const planned = orders.find(({ name }) => name === order);
      const word = wordFor(subject, step, planned?.order ?? {}, dice.chance);
      return {
        kind,
        order,
        step: step.name,
        word,
        isPublished: dice.often(0.5),
        atMs: atMs * dice.oneOf([1, 3]),
      };
    }
    case 'sweep':
      return { kind, atMs: atMs * dice.oneOf([1, 10, 100]) };
    case 'patrol':
      return { kind, everySeconds: dice.whole(2, 20) };
    case 'silent': {
      const silent = dice.oneOf(read);
      const index = dice.whole(0, (instances[silent.service] ?? 1) - 1);
      const { subscription } = silent;
      return {
        ...{ kind, service: silent.service, process: `${silent.service}#${index}`, subscription },
        atMs: dice.whole(0, ARRIVALS_MS),
      };
    }
    case 'deed':
      return { kind, deed: dice.oneOf(deeds), order, atMs: atMs * dice.oneOf([1, 3, 30]) };
  }
}
