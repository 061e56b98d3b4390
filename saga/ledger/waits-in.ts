import type { Saga, WaitingStep } from '../step/saga.ts';
import { RESUMED } from './ledger.ts';

/** A wait in the history of an order. */
export interface PastWait {
  readonly step: WaitingStep;
  /** Whether the order went on from it, because a word was heard. */
  readonly hasHeard: boolean;
}

/** The waits of an order that had these statuses, without its pauses. */
export const waitsIn = (saga: Saga, was: readonly string[]): PastWait[] =>
  was.flatMap((status, index) => {
    const step = saga.waitingIn(status);
    return step === undefined ? [] : [{ step, hasHeard: was[index + 1] === RESUMED }];
  });
