import { statusIn } from '../ledger/history.ts';
import {
  isFailed,
  type Ledger,
  PAUSED,
  pause,
  type Steering,
  skip,
  stageOf,
  unpause,
} from '../ledger/ledger.ts';
import { changeableBy } from '../step/holds.ts';
import type { Saga } from '../step/saga.ts';
import type { Step } from '../step/step.ts';
import type { LedgerTask, Turn } from '../step/turn.ts';

/**
 * Steering by hand: an operator stops an order before its next step, lets it go on, or passes over a step whose work was done
 * elsewhere. Each is an act in the history, guarded by the ledger's version like a step. The outcome of these turns is `steered`;
 * `duplicate` if it is so already; `unheeded`, with the reason in `detail`, if it can't be; `ignored` if there is no order.
 */

/** Who steers, and what they note about it. */
export type Steerer = Omit<Steering, 'now'>;

/** A history must not grow without bound. */
export const PAUSES_MAX = 20;

/**
 * Stops an order before its next step. Its deadlines rest, a customer can still cancel it, and a compensation is not held up. An
 * order that waits for a word stands still anyway.
 */
export function pauseTask(saga: Saga, uuid: string, steerer: Steerer): LedgerTask {
  return {
    uuid,
    take(ledger, _documents, now) {
      if (ledger === undefined) return { outcome: 'ignored' };
      if (ledger.status === PAUSED) return { outcome: 'duplicate', ledger };
      const pauseCount = ledger.history.filter((line) => statusIn(line) === PAUSED).length;
      if (pauseCount >= PAUSES_MAX) return unheeded(ledger, `The order was paused ${PAUSES_MAX} times`);
      if (!saga.nextOf(ledger).includes(PAUSED)) return unheeded(ledger, whyNot(saga, ledger));
      return { outcome: 'steered', ledger: pause(saga, ledger, { ...steerer, now }) };
    },
  };
}

/**
 * Lets a paused order go on where it stood. Its stage begins anew, and it is announced: whoever would take its next step may have
 * passed over it meanwhile.
 */
export function unpauseTask(saga: Saga, uuid: string, steerer: Steerer): LedgerTask {
  return {
    uuid,
    take(ledger, _documents, now) {
      if (ledger === undefined) return { outcome: 'ignored' };
      if (ledger.status === PAUSED) {
        return { outcome: 'steered', ledger: unpause(saga, ledger, { ...steerer, now }), announce: true };
      }
      const before = ledger.history.map(statusIn).at(-2);
      return before === PAUSED && !isFailed(ledger)
        ? { outcome: 'duplicate', ledger }
        : unheeded(ledger, `The order is ${ledger.status}, not paused`);
    },
  };
}

/**
 * Passes over the next step of an order, paused or not, and the order goes on behind it. Only a step that says what it stands in
 * for can be skipped. If an account has too little for what the order then holds, nothing is done.
 * @param stepName the step that is meant, so that an order which has moved on meanwhile does not lose another one.
 */
export function skipTask(saga: Saga, uuid: string, stepName: string, steerer: Steerer): LedgerTask {
  /** The step to skip; or why there is none, as a sentence. */
  function stepIn(ledger: Ledger): Step | string {
    if (isFailed(ledger)) return whyNot(saga, ledger);
    const step = saga.stepsAt(standing(ledger)).find(({ name }) => name === stepName);
    if (step === undefined) return `${stepName} is not the next step: the order is ${ledger.status}`;
    return step.standIn === undefined ? `${stepName} can't be skipped: nothing stands in for it` : step;
  }
  return {
    uuid,
    reads(ledger) {
      if (ledger === undefined) return [];
      const step = stepIn(ledger);
      if (typeof step === 'string') return [];
      return [...changeableBy(saga, step, ledger), ...step.reads(ledger).map(({ path }) => path)];
    },
    take(ledger, _documents, now) {
      if (ledger === undefined) return { outcome: 'ignored' };
      const step = stepIn(ledger);
      if (typeof step === 'string') return unheeded(ledger, step);
      const running = ledger.status === PAUSED ? unpause(saga, ledger, { ...steerer, now }) : ledger;
      const learned = step.standIn ?? {};
      const skipped = skip(saga, running, { ...steerer, step: step.name, learned, now });
      return { outcome: 'steered', ledger: skipped, isOptional: true, announce: true };
    },
  };
}

const unheeded = (ledger: Ledger, detail: string): Turn => ({ outcome: 'unheeded', ledger, detail });

/** The ledger as if it were not paused. */
const standing = (ledger: Ledger): Ledger => ({ ...ledger, status: stageOf(ledger) });

function whyNot(saga: Saga, { status, reason }: Ledger): string {
  if (isFailed({ status })) return `The order is ${status}: ${reason}`;
  if (saga.waitingIn(status)) return `The order is ${status}: it stands still until it hears a word`;
  return `The order is ${status}: nothing follows`;
}
