import type { Saga } from '../step/saga.ts';
import { isStanding, nextSweep } from './deadline.ts';
import { lastTransition, transitionsOf } from './history.ts';
import { isFailed, type Ledger } from './ledger.ts';

/**
 * The ledger as it stood at a moment: without the transitions after it, and without what only those brought. Transitions of
 * one millisecond count together. What no transition tells, such as repeated announcements, is left out, and the next sweep is
 * computed anew.
 * @returns undefined before the order's first transition; the ledger itself from its last one on.
 */
export function ledgerAt(saga: Saga, ledger: Ledger, moment: Date): Ledger | undefined {
  const transitions = transitionsOf(ledger).filter(({ at }) => at <= moment);
  if (transitions.length === ledger.history.length) return ledger;
  const status = transitions.at(-1)?.status;
  if (status === undefined) return undefined;
  const past = { ...ledger, status, history: ledger.history.slice(0, transitions.length) };
  const done = saga.doneSteps(past);
  const unknown = new Set([
    ...saga.steps.flatMap((step) => (done.includes(step) ? [] : Object.keys(step.learns.shape))),
    ...(isFailed(past) ? [] : ['reason', 'detail']),
    'repeats',
    'expireAt',
  ]);
  return {
    ...(Object.fromEntries(Object.entries(past).filter(([field]) => !unknown.has(field))) as Ledger),
    sweepAt: nextSweep(saga, past, 0, lastTransition(past).at),
    // As for every ledger that has come to rest.
    ...(!isStanding(saga, past) && { expireAt: null }),
  };
}
