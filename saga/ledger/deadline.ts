import type { Saga } from '../step/saga.ts';
import { lastTransition, transitionsOf } from './history.ts';
import { begunAt, FAILING, type Ledger, PAUSED, RESUMED } from './ledger.ts';

/**
 * How long an order may stand. Each stage has a deadline; until then the sweeper announces the ledger again after growing
 * pauses, and then fails the order. A compensation has no deadline: it is never given up.
 */

/** How long a stage may take unless SAGA_DEADLINE_SECONDS says otherwise. */
export const DEADLINE_SECONDS = 900;
/** The largest value that the configuration may set: 30 days. */
export const DEADLINE_SECONDS_MAX = 2_592_000;
/** The first pause before a ledger is announced again; each next one is twice as long. */
const REPEAT_FIRST_SECONDS = 30;
export const REPEAT_MAX_SECONDS = 3600;
/** If the deadline is short, the first repeat comes after this share of it. */
const REPEAT_FIRST_SHARE = 1 / 8;

/** Whether something must follow by itself in this status: a step, a word from outside, or the compensation. */
export const isStanding = (saga: Saga, { status }: Pick<Ledger, 'status'>): boolean =>
  status === FAILING ||
  status === RESUMED ||
  isWaiting(saga, { status }) ||
  saga.stepsAfter(status).length > 0;

/** Whether the order has come to its end: nothing follows, and nobody has stopped it. */
export const hasEnded = ({ status, sweepAt }: Pick<Ledger, 'status' | 'sweepAt'>): boolean =>
  sweepAt === null && status !== PAUSED;

/** Whether the order waits for a word from outside. No message makes it go on. */
export const isWaiting = (saga: Saga, { status }: Pick<Ledger, 'status'>): boolean =>
  saga.waitingIn(status) !== undefined;

/** The part of a ledger that says how long its stage may take. */
type Stage = Pick<Ledger, 'status' | 'history' | 'deadlineSeconds' | 'createdAt' | 'waitsUntil' | 'forkOf'>;

/**
 * When the order is too late; undefined if it may take any time. An order that came to rest has no deadline, even if a later
 * release lets something follow in its status: no finished order must fail because a step was added behind it.
 */
export function deadlineOf(saga: Saga, ledger: Stage & Pick<Ledger, 'sweepAt'>): Date | undefined {
  if (ledger.sweepAt === null) return undefined;
  return earliest(isOnlyShown(saga, ledger) ? undefined : endOfStage(saga, ledger), endOfLife(saga, ledger));
}

/**
 * When the stage is over: a wait was given a time when it began, any other stage may take so many seconds. Undefined if nothing
 * follows, or if it is never too late for what follows.
 */
export function endOfStage(saga: Saga, stage: Stage): Date | undefined {
  const waiting = saga.waitingIn(stage.status);
  if (waiting) return stage.waitsUntil?.[waiting.name];
  const [step] = saga.stepsAt(stage);
  // What the word of a courier leads to is never too late.
  if (step === undefined || (stage.status === RESUMED && step.waits?.afterwards === 'show')) return undefined;
  return new Date(lastTransition(stage).at.getTime() + 1000 * secondsFor(saga, stage));
}

function endOfLife(saga: Saga, stage: Stage): Date | undefined {
  if (saga.lifetimeSeconds === undefined || !isStanding(saga, stage) || stage.status === FAILING)
    return undefined;
  const since = begunAt(stage);
  return new Date(since.getTime() + 1000 * saga.lifetimeSeconds + pausedMs(stage, since));
}

/** How long the order has been paused since then, in milliseconds: its life does not pass meanwhile. */
function pausedMs(stage: Stage, since: Date): number {
  const transitions = transitionsOf(stage).filter(({ at }) => at >= since);
  return transitions.reduce((sum, { status, at }, index) => {
    const next = transitions[index + 1];
    return status === PAUSED && next ? sum + next.at.getTime() - at.getTime() : sum;
  }, 0);
}

/** Whether the order waits on once its time is over, and people are shown it. */
export const isOnlyShown = (saga: Saga, { status }: Pick<Ledger, 'status'>): boolean =>
  saga.waitingIn(status)?.waits.afterwards === 'show';

/** How long the order may stand before its next step, in seconds: as long as the most impatient of those whose turn it is. */
function secondsFor(saga: Saga, stage: Stage): number {
  const limits = saga.stepsAt(stage).map(({ deadlineSeconds }) => deadlineSeconds ?? stage.deadlineSeconds);
  return limits.length === 0 ? stage.deadlineSeconds : Math.min(...limits);
}

const earliest = (...moments: readonly (Date | undefined)[]): Date | undefined =>
  moments.reduce((first, one) => (first && (one === undefined || first <= one) ? first : one), undefined);

/** Whether the order is over its deadline. */
export const isOverdue = (saga: Saga, ledger: Ledger, now: Date): boolean =>
  hasPassed(deadlineOf(saga, ledger), now);

/** Whether it is the order as a whole that has taken too long. */
export const isOutlived = (saga: Saga, ledger: Ledger, now: Date): boolean =>
  ledger.sweepAt !== null && hasPassed(endOfLife(saga, ledger), now);

const hasPassed = (end: Date | undefined, now: Date): boolean => end !== undefined && end <= now;

/** Why an order past its deadline fails, as a sentence. */
export function overdueDetail(saga: Saga, ledger: Ledger, now: Date): string {
  const { status } = ledger;
  if (isOutlived(saga, ledger, now)) return `The order has not ended within ${saga.lifetimeSeconds} s`;
  return isWaiting(saga, ledger)
    ? `The order waited as ${status} until ${endOfStage(saga, ledger)?.toISOString()}, and no word came`
    : `The order stood as ${status} for more than ${secondsFor(saga, ledger)} s`;
}

/** When the sweeper looks at a ledger next, given its repeats in this stage; null if nothing must follow. */
export function nextSweep(saga: Saga, stage: Stage, repeats: number, now: Date): Date | null {
  if (!isStanding(saga, stage)) return null;
  const isFirst = repeats === 0;
  const waits = isWaiting(saga, stage);
  // Nothing would come of announcing a wait again.
  const pause =
    waits && isFirst ? undefined : new Date(now.getTime() + pauseMs(secondsFor(saga, stage), repeats));
  const end = waits && !isFirst ? undefined : endOfStage(saga, stage);
  return earliest(pause, end, endOfLife(saga, stage)) ?? null;
}

/**
 * When the sweeper looks at a ledger that moves on now. A sweep that is already planned stays: at worst it comes too early
 * and puts itself off. So an order that goes its way writes the moment once, not at each step.
 */
export function sweepAfterMove(saga: Saga, before: Ledger, moved: Ledger, now: Date): Date | null {
  const planned = before.sweepAt;
  const next = nextSweep(saga, moved, 0, now);
  if (isWaiting(saga, moved)) return next;
  return planned && next && now < planned && planned <= next ? planned : next;
}

/** When a standing ledger is due to be announced again: at its sweep, or later if it has moved on since that was planned. */
export function repeatDueAt(saga: Saga, ledger: Ledger): Date | null {
  return ledger.repeats ? ledger.sweepAt : nextSweep(saga, ledger, 0, lastTransition(ledger).at);
}

function pauseMs(deadlineSeconds: number, repeats: number): number {
  const firstSeconds = Math.min(REPEAT_FIRST_SECONDS, deadlineSeconds * REPEAT_FIRST_SHARE);
  return 1000 * Math.min(REPEAT_MAX_SECONDS, firstSeconds * 2 ** repeats);
}

/** When a standing ledger was last announced: when it got its status, or when that was repeated. */
export function announcedAt(saga: Saga, ledger: Ledger): Date {
  const { at } = lastTransition(ledger);
  const { repeats, sweepAt } = ledger;
  return repeats && sweepAt
    ? new Date(Math.max(at.getTime(), sweepAt.getTime() - pauseMs(secondsFor(saga, ledger), repeats)))
    : at;
}

/** The ledger after the sweeper or an operator has asked to announce it again. */
export function announcedAgain(saga: Saga, ledger: Ledger, now: Date): Ledger {
  const repeats = (ledger.repeats ?? 0) + 1;
  return { ...ledger, repeats, sweepAt: nextSweep(saga, ledger, repeats, now) };
}
