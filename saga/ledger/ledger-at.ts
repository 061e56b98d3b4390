import type { Saga } from '../step/saga.ts';
import { isStanding, nextSweep } from './deadline.ts';
import { copiedCount, lastTransition, statusIn, transitionsOf, withoutPauses } from './history.ts';
import { isFailed, type Ledger } from './ledger.ts';
import { type PastWait, waitsIn } from './waits-in.ts';

/**
 * The ledger as it stood at a moment. Transitions of one millisecond count together.
 * @returns undefined before the order's first transition, and of a fork before it was made; the ledger itself from its last one on.
 */
export function ledgerAt(saga: Saga, ledger: Ledger, moment: Date): Ledger | undefined {
  const count = transitionsOf(ledger).filter(({ at }) => at <= moment).length;
  return count > copiedCount(ledger) ? ledgerAfter(saga, ledger, count) : undefined;
}

/**
 * The ledger as it stood after so many transitions: without those after them, and without what only those brought. What no
 * transition tells, such as repeated announcements, is left out, and the next sweep is computed anew.
 * @returns undefined after none; the ledger itself after all.
 */
export function ledgerAfter(saga: Saga, ledger: Ledger, count: number): Ledger | undefined {
  if (count >= ledger.history.length) return ledger;
  const history = ledger.history.slice(0, count);
  const all = history.map(statusIn);
  const [status, was] = [all.at(-1), withoutPauses(all)];
  if (status === undefined) return undefined;
  const past = { ...ledger, status, history, movedAt: lastTransition({ history }).at };
  const unknown = new Set([
    ...saga.acts.flatMap(({ status: begun, learns }) =>
      was.includes(begun) ? [] : Object.keys(learns.shape),
    ),
    ...(isFailed(past) ? [] : ['reason', 'detail']),
    'repeats',
    'expireAt',
    'forks',
    'waitsUntil',
    'heard',
  ]);
  const waited = waitsIn(saga, was);
  return {
    ...(Object.fromEntries(Object.entries(past).filter(([field]) => !unknown.has(field))) as Ledger),
    ...ofWaits('waitsUntil', past, waited),
    ...ofWaits(
      'heard',
      past,
      waited.filter(({ hasHeard }) => hasHeard),
    ),
    sweepAt: nextSweep(saga, past, 0, past.movedAt),
    // As for every ledger that has ever come to rest.
    ...(all.some((one) => !isStanding(saga, { status: one })) && { expireAt: null }),
  };
}

/** What a ledger keeps by the names of steps, of these waits alone; nothing if there is none. */
function ofWaits(field: 'waitsUntil' | 'heard', ledger: Ledger, waits: readonly PastWait[]): object {
  const kept = Object.entries(ledger[field] ?? {}).filter(([name]) =>
    waits.some(({ step }) => step.name === name),
  );
  return kept.length === 0 ? {} : { [field]: Object.fromEntries(kept) };
}
