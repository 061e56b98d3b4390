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

/** Whether something must still happen to the order; if not, it rests. */
export const isStanding = ({ status }: Pick<Saga, 'status'>): boolean => awaited[status] !== undefined;

/** When the stage in which the ledger stands is too late; undefined where it may take as long as it must. */
export function deadlineOf(saga: Pick<Saga, 'status' | 'history' | 'deadlineSeconds'>): Date | undefined {
  if (awaited[saga.status] !== 'step') return undefined;
  return new Date(lastTransition(saga).at.getTime() + 1000 * saga.deadlineSeconds);
}

/** Whether the stage is over its deadline. */
export function isOverdue(saga: Saga, now: Date): boolean {
  const deadline = deadlineOf(saga);
  return deadline !== undefined && deadline <= now;
}

/** When the sweeper looks at a ledger next, after so many re-drives of this stage; null where the order rests. */
export function nextSweep(
  saga: Pick<Saga, 'status' | 'history' | 'deadlineSeconds'>,
  redrives: number,
  now: Date,
): Date | null {
  if (!isStanding(saga)) return null;
  const next = new Date(now.getTime() + pauseMs(saga.deadlineSeconds, redrives));
  const deadline = deadlineOf(saga);
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
