import type { Path } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import type { Step } from '../step/step.ts';
import type { Word } from '../step/wait.ts';
import { isStanding, nextSweep, sweepAfterMove } from './deadline.ts';
import { historyLine, lastTransition, statusIn } from './history.ts';

/**
 * The ledger: one document per order that says what has happened to it. Everything else (which message must
 * follow, what the order holds, whether a duplicate does anything, whether a late message is refused) is derived from it.
 *
 * A ledger is a value. The transitions below return the next one and refuse what the state machine forbids.
 */

/** The statuses that every saga has, besides those of its steps. */
export const RECEIVED = 'RECEIVED';
/** An order that waited goes on: its step decides again. */
export const RESUMED = 'RESUMED';
/** An operator has stopped the order before its next step. */
export const PAUSED = 'PAUSED';
export const FAILING = 'FAILING';
export const CANCELED = 'CANCELED';

/** The reasons for which an order can fail in every saga. */
export const DEADLINE_EXCEEDED = 'DEADLINE_EXCEEDED';
export const CANCELED_BY_OPERATOR = 'CANCELED_BY_OPERATOR';
/** The order asked for it: see `failsAt` of its kind. */
export const STEP_FAILED = 'STEP_FAILED';

/** What the kernel keeps of every order. */
export interface LedgerFields {
  readonly uuid: string;
  readonly status: string;
  /** Why the order failed, for programs and for people. */
  readonly reason?: string;
  readonly detail?: string;
  /** Every transition, oldest first, as a line: see `historyLine`. */
  readonly history: readonly string[];
  readonly createdAt: Date;
  /** When the last transition was: whoever watches the ledgers sees by it which of them have moved on. */
  readonly movedAt: Date;
  /** How long each stage of this order may take. */
  readonly deadlineSeconds: number;
  /** Until when the order waits, or waited, for a word from outside, by the name of the step. */
  readonly waitsUntil?: Readonly<Record<string, Date>>;
  /** The word that each step has heard, by its name. */
  readonly heard?: Readonly<Record<string, Word>>;
  /** When the sweeper looks at the ledger next, possibly too early but never too late; null once the order has come to rest. */
  readonly sweepAt: Date | null;
  /** How often the ledger was announced again in this stage because nothing followed. */
  readonly repeats?: number;
  /** The trace under which the order came, as a W3C traceparent; absent if it was not traced. */
  readonly trace?: string;
  /**
   * When Firestore may delete the ledger. Absent until the order first comes to rest. Then null, because a finished order's
   * ledger must stay as long as its records; for a canceled order, a moment long after. No decision depends on the deletion.
   */
  readonly expireAt?: Date | null;
  /** The order of which this one is a fork, and since when. */
  readonly forkOf?: { readonly uuid: string; readonly at: Date };
  /** The forks of this order. */
  readonly forks?: readonly string[];
  /**
   * When what was asked was replaced, and by whom, as a line like those of the history. A message with the order as it came is
   * then a late one of this order.
   */
  readonly rewritten?: string;
  /** Spreads listings of all orders over the index: 0 to SHARD_COUNT - 1, derived from the uuid. */
  readonly shard: number;
  /** The names by which the order can be found: see `mentions` of its kind. */
  readonly mentions?: readonly string[];
}

/**
 * A ledger: the kernel's fields, what was asked, and what the steps have learned. The tombstone of an order that never came
 * has only the kernel's fields.
 */
export type Ledger<Order extends object = object, Learned extends object = object> = LedgerFields &
  Readonly<Partial<Order>> &
  Readonly<Partial<Learned>>;

/**
 * How long the ledger of a canceled order stays: longer than any redelivery can take. Pub/Sub keeps a message for at most
 * 31 days in its subscription and another 31 in the dead-letter subscription; the rest is a margin for orders that took long.
 */
export const TOMBSTONE_DAYS = 100;
const DAY_MS = 24 * 60 * 60 * 1000;

/** When the ledger of an order that was canceled at this moment may be deleted. */
export const tombstoneUntil = (now: Date): Date => new Date(now.getTime() + TOMBSTONE_DAYS * DAY_MS);

export const SHARD_COUNT = 8;

/** The collection of the ledgers. */
export const LEDGERS = 'sagas';
export const ledgerPath = (uuid: string): Path<Ledger> => `${LEDGERS}/${uuid}`;
export const isLedgerPath = (path: Path): boolean => path.startsWith(`${LEDGERS}/`);

/** A transition that the state machine forbids: a bug in the caller, never an answer to a customer. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

/** When the order began; a fork, when it was made. */
export const begunAt = ({ forkOf, createdAt }: Pick<Ledger, 'forkOf' | 'createdAt'>): Date =>
  forkOf?.at ?? createdAt;

/** Whether the order is canceled, or will be. */
export const isFailed = ({ status }: Pick<Ledger, 'status'>): boolean =>
  status === FAILING || status === CANCELED;

/** Whether the ledger still stands where this party left it. If so, the party must see that it is announced. */
export const leftBy = (ledger: Ledger, party: string): boolean => lastTransition(ledger).by === party;

/**
 * A new ledger: the order was accepted.
 * @param order undefined for the tombstone of an order that has not come.
 * @param by who accepted it.
 * @param deadlineSeconds how long each of its stages may take.
 * @param trace the W3C traceparent under which the order came.
 */
export function receive<Order extends object>(
  saga: Saga,
  uuid: string,
  order: Order | undefined,
  by: string,
  now: Date,
  deadlineSeconds: number,
  trace?: string,
): Ledger<Order> {
  const history = [historyLine(RECEIVED, by, now)];
  const mentions = order && saga.order.mentions?.(order);
  return {
    uuid,
    status: RECEIVED,
    history,
    deadlineSeconds,
    sweepAt: nextSweep(saga, { status: RECEIVED, history, deadlineSeconds, createdAt: now }, 0, now),
    createdAt: now,
    movedAt: now,
    shard: shardOf(uuid),
    ...(mentions && { mentions }),
    ...(order as Order),
    ...(trace !== undefined && { trace }),
  };
}

/** A step was done, and has learned something. @throws IllegalTransition */
export function advance(
  saga: Saga,
  ledger: Ledger,
  { step, by, learned, now }: { step: string; by: string; learned: object; now: Date },
): Ledger {
  const next = turnOf(saga, ledger, step);
  // Not spread: V8 needs ten times as long to add fields to a copy that way (docs/decisions/0006-throughput.md).
  return Object.assign({}, move(saga, ledger, next.leadsTo, by, now), learned);
}

/**
 * The step waits for a word from outside, and has learned something before it does.
 * @param until when the wait is over.
 * @throws IllegalTransition
 */
export function beginWait(
  saga: Saga,
  ledger: Ledger,
  { step, by, learned, until, now }: { step: string; by: string; learned: object; until: Date; now: Date },
): Ledger {
  const { waits } = turnOf(saga, ledger, step);
  if (waits === undefined)
    throw new IllegalTransition(`Order ${ledger.uuid} can't wait: ${step} does not say how`);
  const waitsUntil = { ...ledger.waitsUntil, [step]: until };
  return Object.assign({}, move(saga, { ...ledger, waitsUntil }, waits.as, by, now), learned);
}

/** The step for which the order waits has heard a word, and is to decide again. @throws IllegalTransition */
export function resume(
  saga: Saga,
  ledger: Ledger,
  { word, by, person, now }: { word: Word; by: string; person?: string | undefined; now: Date },
): Ledger {
  const step = saga.waitingIn(ledger.status);
  if (step === undefined) {
    throw new IllegalTransition(`Order ${ledger.uuid} is ${ledger.status}: it waits for no word`);
  }
  return { ...move(saga, ledger, RESUMED, by, now, person), heard: { ...ledger.heard, [step.name]: word } };
}

/** Who steers an order by hand, and what they note about it. */
export interface Steering {
  readonly by: string;
  readonly person?: string | undefined;
  readonly note?: string | undefined;
  readonly now: Date;
}

/** The order stops before its next step. Its deadlines rest. @throws IllegalTransition */
export const pause = (saga: Saga, ledger: Ledger, { by, now, person, note }: Steering): Ledger =>
  move(saga, ledger, PAUSED, by, now, person, note);

/** A paused order goes on where it stood. @throws IllegalTransition */
export const unpause = (saga: Saga, ledger: Ledger, { by, now, person, note }: Steering): Ledger =>
  move(saga, ledger, stageOf(ledger), by, now, person, note);

/** Where an order stands, even if it is paused there. */
export const stageOf = ({ history }: Pick<Ledger, 'history'>): string =>
  history.map(statusIn).findLast((status) => status !== PAUSED) ?? '';

/** A step is passed over: what it would have learned is given instead. @throws IllegalTransition */
export function skip(
  saga: Saga,
  ledger: Ledger,
  { step, learned, by, now, person, note }: Steering & { step: string; learned: object },
): Ledger {
  const { leadsTo } = turnOf(saga, ledger, step);
  return Object.assign({}, move(saga, ledger, leadsTo, by, now, person, note), learned);
}

function turnOf(saga: Saga, ledger: Ledger, step: string): Step {
  const next = saga.stepsAt(ledger).find(({ name }) => name === step);
  if (next === undefined) {
    throw new IllegalTransition(`Order ${ledger.uuid} is ${ledger.status}: ${step} has no turn`);
  }
  return next;
}

/**
 * The order can't go on, and what it holds must be given back.
 * @param person the operator who wants it so.
 * @throws IllegalTransition
 */
export function fail(
  saga: Saga,
  ledger: Ledger,
  {
    by,
    person,
    reason,
    detail,
    now,
  }: { by: string; person?: string | undefined; reason: string; detail: string; now: Date },
): Ledger {
  // A ledger with a reason that the saga does not have could not be read again.
  if (!saga.reasons.includes(reason)) {
    throw new IllegalTransition(`Order ${ledger.uuid} can't fail: ${reason} is no reason of ${saga.name}`);
  }
  return { ...move(saga, ledger, FAILING, by, now, person), reason, detail };
}

/** The order is canceled and holds nothing. @throws IllegalTransition */
export const complete = (saga: Saga, ledger: Ledger, by: string, now: Date): Ledger =>
  move(saga, ledger, CANCELED, by, now);

/**
 * The tombstone of an unknown order, whose failure arrived first. When the order itself arrives, it meets a canceled
 * ledger and is refused.
 */
export function tombstone(
  saga: Saga,
  uuid: string,
  { by, reason, detail, now }: { by: string; reason: string; detail: string; now: Date },
  deadlineSeconds: number,
  trace?: string,
): Ledger {
  const unknown = receive(saga, uuid, undefined, by, now, deadlineSeconds, trace);
  return complete(saga, fail(saga, unknown, { by, reason, detail, now }), by, now);
}

function move(
  saga: Saga,
  ledger: Ledger,
  to: string,
  by: string,
  now: Date,
  person?: string,
  note?: string,
): Ledger {
  if (!saga.nextOf(ledger).includes(to)) {
    throw new IllegalTransition(`Order ${ledger.uuid} is ${ledger.status}: ${by} can't make it ${to}`);
  }
  const moved: Ledger = {
    ...ledger,
    status: to,
    movedAt: now,
    history: [...ledger.history, historyLine(to, by, now, person, note)],
  };
  return {
    ...moved,
    sweepAt: sweepAfterMove(saga, ledger, moved, now),
    ...expiryOf(saga, moved, now),
    ...(ledger.repeats && { repeats: 0 }),
  };
}

function expiryOf(saga: Saga, ledger: Ledger, now: Date): Pick<Ledger, 'expireAt'> {
  if (ledger.status === CANCELED) return { expireAt: tombstoneUntil(now) };
  // One that had come to rest before keeps its null: an update can't remove a field.
  return isStanding(saga, ledger) ? {} : { expireAt: null };
}

/** The digits of a uuid before its first hyphen are random enough to spread by. */
export function shardOf(uuid: string): number {
  return Number.parseInt(uuid, 16) % SHARD_COUNT;
}
