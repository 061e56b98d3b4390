import { lastTransition } from './history.ts';
import type { Saga, Status } from './ledger.ts';

/**
 * How long an order may stand. Each stage has a deadline; until then the sweeper publishes again, after growing pauses,
 * what the ledger calls for, and then fails the order. A compensation has no deadline: it is never given up.
 */

/** How long a stage may take where the configuration does not say: SAGA_DEADLINE_SECONDS. */
export const DEADLINE_SECONDS = 900;
/** The first pause before a ledger is re-driven; each next one is twice as long. */
const REDRIVE_FIRST_SECONDS = 30;
const REDRIVE_MAX_SECONDS = 3600;
/** Of a stage with a short deadline, this share passes before the first re-drive. */
const REDRIVE_FIRST_SHARE = 1 / 8;

/** What must follow in each status: a step, in time, or the order fails; the compensation, however long it takes; or nothing. */
const awaited: Readonly<Record<Status, 'step' | 'compensation' | undefined>> = {
  RECEIVED: 'step',
  CREATED: 'step',
  RESERVED: 'step',
  PAID: undefined,
  FAILING: 'compensation',
  CANCELED: undefined,
};

/** Whether something must follow in this status. */
export const isStanding = ({ status }: Pick<Saga, 'status'>): boolean => awaited[status] !== undefined;

/** What of a ledger says how long its stage may take. */
type Stage = Pick<Saga, 'status' | 'history' | 'deadlineSeconds'>;

/**
 * When the stage in which the ledger stands is too late; undefined where it may take as long as it must. An order that came
 * to rest has no deadline, although a later release may let something follow in its status: no finished order must fail
 * because a step was added behind it.
 */
export const deadlineOf = (saga: Stage & Pick<Saga, 'sweepAt'>): Date | undefined =>
  saga.sweepAt === null ? undefined : deadlineOfStage(saga);

function deadlineOfStage(stage: Stage): Date | undefined {
  if (awaited[stage.status] !== 'step') return undefined;
  return new Date(lastTransition(stage).at.getTime() + 1000 * stage.deadlineSeconds);
}

/** Whether the stage is over its deadline. */
export function isOverdue(saga: Saga, now: Date): boolean {
  const deadline = deadlineOf(saga);
  return deadline !== undefined && deadline <= now;
}

/** When the sweeper looks at a ledger next, after so many re-drives of its stage; null where nothing must follow. */
export function nextSweep(stage: Stage, redrives: number, now: Date): Date | null {
  if (!isStanding(stage)) return null;
  const next = new Date(now.getTime() + pauseMs(stage.deadlineSeconds, redrives));
  const deadline = deadlineOfStage(stage);
  return deadline !== undefined && deadline < next ? deadline : next;
}

/**
 * When the sweeper looks at a ledger that moves on now. A sweep that was planned before is left where it is: it comes too
 * early at worst, and then it is put off. So an order that goes its way writes the moment once, not at each step.
 */
export function sweepAfterMove(before: Saga, moved: Saga, now: Date): Date | null {
  const planned = before.sweepAt;
  const next = nextSweep(moved, 0, now);
  return planned !== null && next !== null && now < planned && planned <= next ? planned : next;
}

/** When a standing ledger has to be re-driven: at its sweep, or later where it has moved on since that was planned. */
export function redriveDueAt(saga: Saga): Date | null {
  return saga.redrives ? saga.sweepAt : nextSweep(saga, 0, lastTransition(saga).at);
}

function pauseMs(deadlineSeconds: number, redrives: number): number {
  const firstSeconds = Math.min(REDRIVE_FIRST_SECONDS, deadlineSeconds * REDRIVE_FIRST_SHARE);
  return 1000 * Math.min(REDRIVE_MAX_SECONDS, firstSeconds * 2 ** redrives);
}

/** When a standing ledger was last announced: as it came to stand where it stands, or when it was re-driven. */
export function announcedAt(saga: Saga): Date {
  const { at } = lastTransition(saga);
  if (!saga.redrives || saga.sweepAt === null) return at;
  return new Date(
    Math.max(at.getTime(), saga.sweepAt.getTime() - pauseMs(saga.deadlineSeconds, saga.redrives)),
  );
}

/** The ledger once the sweeper, or a person, has asked for its announcement again. */
export function redriven(saga: Saga, now: Date): Saga {
  const redrives = (saga.redrives ?? 0) + 1;
  return { ...saga, redrives, sweepAt: nextSweep(saga, redrives, now) };
}
