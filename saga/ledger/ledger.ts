import type { Line, Order } from '../../shop/order.ts';
import type { Path } from '../ports/store.ts';
import { DEADLINE_SECONDS, isStanding, nextSweep, sweepAfterMove } from './deadline.ts';
import { historyLine, lastTransition, transitionsOf } from './history.ts';

/**
 * The ledger: one document per order that says what has happened to it. Everything else (which message must
 * follow, whether a duplicate does anything, whether a late message is refused) is derived from it.
 *
 * A ledger is a value. The transitions below return the next one and refuse what the state machine forbids.
 */

/** The statuses, and which may follow. Nothing leaves CANCELED. */
const successors = {
  RECEIVED: ['CREATED', 'FAILING'],
  CREATED: ['RESERVED', 'FAILING'],
  RESERVED: ['PAID', 'FAILING'],
  PAID: ['FAILING'],
  FAILING: ['CANCELED'],
  CANCELED: [],
} as const;

export type Status = keyof typeof successors;
export const STATUSES = Object.keys(successors) as readonly Status[];

/** The topic that a ledger in this status calls for. */
const topicOfStatus = {
  RECEIVED: 'frontend',
  CREATED: 'order-created',
  RESERVED: 'inventory-updated',
  PAID: 'payment-created',
  FAILING: 'error',
  CANCELED: 'order-canceled',
} as const satisfies Record<Status, string>;

export type EmissionTopic = (typeof topicOfStatus)[Status];

/** The steps in the order in which they run. */
export const STEP_NAMES = ['order', 'inventory', 'payments'] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** Who may move a ledger on. */
export type Party = StepName | 'frontend' | 'janitor';

export const REASONS = [
  'INVALID_ORDER',
  'USER_NOT_FOUND',
  'ITEM_NOT_FOUND',
  'INSUFFICIENT_INVENTORY',
  'PAYMENT_ERROR',
  'INSUFFICIENT_CREDIT',
  'CANCELED_BY_CUSTOMER',
  'DEADLINE_EXCEEDED',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Saga extends Order {
  readonly uuid: string;
  readonly status: Status;
  /** Why the order failed, for programs and for people. */
  readonly reason?: Reason;
  readonly detail?: string;
  /** The sum of all lines, in minor units of the currency. */
  readonly total_invoice?: number;
  /** What was taken from the customer's credit, in minor units. Absent where the customer had no limit. */
  readonly charged?: number;
  /** Every transition, oldest first, as a line: "2026-01-02T03:04:05.678Z CREATED order". */
  readonly history: readonly string[];
  readonly createdAt: Date;
  /** How long each stage of this order may take. */
  readonly deadlineSeconds: number;
  /** When the sweeper looks at the ledger next, not later than it must; null while nothing must follow. */
  readonly sweepAt: Date | null;
  /** How often the ledger was announced again in this stage because nothing followed. */
  readonly redrives?: number;
  /** Under which trace the order came, as a W3C traceparent; absent where nobody traced it. */
  readonly trace?: string;
  /**
   * When Firestore may delete the ledger: long after the order has come to rest. Absent while the order stands, or null
   * where it had come to rest before. No decision depends on it.
   */
  readonly expireAt?: Date | null;
  /**
   * The done steps, in a ledger that 0.1.0 made: its processes believe it, so it is kept up for them until 0.3.0
   * (docs/decisions/0012-upgrades.md). This release reads the history.
   */
  readonly steps?: readonly StepName[];
  /** Spreads listings over all orders across the index: 0 to SHARD_COUNT - 1, derived from the uuid. */
  readonly shard: number;
}

/** What a step may add to the ledger. */
export type Facts = Partial<Pick<Saga, 'items' | 'total_invoice' | 'charged'>>;

/**
 * How long a ledger stays: longer than any redelivery can take. Pub/Sub keeps a message for at most 31 days in its
 * subscription and again as long in the dead-letter subscription; the rest is for an order that took long.
 */
export const TOMBSTONE_DAYS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;

/** When a document of this moment may be deleted. */
const tombstoneUntil = (now: Date): Date => new Date(now.getTime() + TOMBSTONE_DAYS * DAY_MS);

export const SHARD_COUNT = 8;

export const sagaPath = (uuid: string): Path<Saga> => `sagas/${uuid}`;

/** A transition that the state machine forbids: a bug in the caller, never an answer to a customer. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

/** Whether the state machine lets one status follow another. */
export const mayFollow = (from: Status, to: Status): boolean =>
  (successors[from] as readonly Status[]).includes(to);

/** The topic on which a ledger in this status must be announced. Pure: the same ledger always says the same. */
export const emissionFor = (saga: Pick<Saga, 'status'>): EmissionTopic => topicOfStatus[saga.status];

/** Whether the ledger still stands where this party left it, so that the party must see to its announcement. */
export const leftBy = (saga: Saga, party: Party): boolean => lastTransition(saga).by === party;

/**
 * A new ledger: the order was accepted.
 * @param deadlineSeconds how long each of its stages may take.
 * @param trace the W3C traceparent under which the order came.
 */
export function receive(
  uuid: string,
  order: Order,
  by: Party,
  now: Date,
  deadlineSeconds = DEADLINE_SECONDS,
  trace?: string,
): Saga {
  const stage = { status: 'RECEIVED', history: [historyLine('RECEIVED', by, now)], deadlineSeconds } as const;
  return {
    ...order,
    uuid,
    ...stage,
    sweepAt: nextSweep(stage, 0, now),
    createdAt: now,
    shard: shardOf(uuid),
    ...(trace !== undefined && { trace }),
  };
}

/** A step was done; it may have learned something. @throws IllegalTransition */
export function advance(saga: Saga, step: StepName, to: Status, facts: Facts, now: Date): Saga {
  return { ...move(saga, to, step, now), ...facts, ...(saga.steps && { steps: [...saga.steps, step] }) };
}

/** The order can't go on; what was done must be undone. @throws IllegalTransition */
export function fail(saga: Saga, by: Party, reason: Reason, detail: string, now: Date): Saga {
  return { ...move(saga, 'FAILING', by, now), reason, detail };
}

/** Everything that was done has been undone: the order is canceled. @throws IllegalTransition */
export function completeCompensation(saga: Saga, now: Date): Saga {
  return { ...move(saga, 'CANCELED', 'janitor', now), ...(saga.steps && { steps: [] }) };
}

/** The steps that are done and not undone, first one first. Nothing but the history says so. */
export function doneSteps(saga: Pick<Saga, 'history'>): StepName[] {
  const transitions = transitionsOf(saga);
  if (transitions.at(-1)?.status === 'CANCELED') return [];
  // A step also fails an order, and the first one receives those that come without the frontend: that is not its work.
  const isWork = (status: Status) => status !== 'RECEIVED' && status !== 'FAILING';
  return STEP_NAMES.filter((step) => transitions.some(({ status, by }) => by === step && isWork(status)));
}

/**
 * The tombstone of an order that nobody knows: its failure overtook it. When the order itself arrives, it meets a
 * canceled ledger and is refused.
 */
export function tombstone(uuid: string, reason: Reason, detail: string, now: Date, trace?: string): Saga {
  const unknown = receive(uuid, { user: '', items: [] }, 'janitor', now, DEADLINE_SECONDS, trace);
  return completeCompensation(fail(unknown, 'janitor', reason, detail, now), now);
}

/** The ledger's own price of a line. Throws where the stock was never reserved: a bug in the caller. */
export function priceOf(line: Line): number {
  if (line.price_per_unit === undefined) throw new Error(`The line of ${line.item} has no price yet`);
  return line.price_per_unit;
}

function move(saga: Saga, to: Status, by: Party, now: Date): Saga {
  if (!mayFollow(saga.status, to)) {
    throw new IllegalTransition(`Order ${saga.uuid} is ${saga.status}: ${by} can't make it ${to}`);
  }
  const moved: Saga = { ...saga, status: to, history: [...saga.history, historyLine(to, by, now)] };
  return {
    ...moved,
    sweepAt: sweepAfterMove(saga, moved, now),
    ...(isStanding(moved) ? saga.expireAt && { expireAt: null } : { expireAt: tombstoneUntil(now) }),
    ...(saga.redrives && { redrives: 0 }),
  };
}

/** The first hexadecimal digits of a uuid are random enough to spread by. */
export function shardOf(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8), 16) % SHARD_COUNT;
}
