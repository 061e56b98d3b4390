import type { Documents } from '../commit/documents.ts';
import { update } from '../commit/documents.ts';
import { derivedUuid } from '../deliver/message.ts';
import { hasEnded, nextSweep } from '../ledger/deadline.ts';
import { notBefore, statusIn } from '../ledger/history.ts';
import { type Ledger, ledgerPath, pause, shardOf, unpause } from '../ledger/ledger.ts';
import { ledgerAfter } from '../ledger/ledger-at.ts';
import { isTombstone, readLedger, trusted } from '../ledger/read-ledger.ts';
import { type DocumentRef, readDocument, refusalFor } from '../step/document.ts';
import { accountsHeld } from '../step/holds.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask } from '../step/turn.ts';
import type { Steerer } from './steer.ts';

/** The statuses from which a step goes on, so that a fork can begin there. */
export const forkableStatuses = (saga: Saga): string[] =>
  saga.statuses.filter((status) => saga.stepsAfter(status).length > 0);

/** The uuid of the order that is made of another one from this status on: always the same. */
export const forkUuid = (uuid: string, status: string): string => derivedUuid('fork', `${uuid}/${status}`);

/**
 * Makes a new order from a past point of one that has come to its end: with its acts up to there, and everything that they hold,
 * taken in this one commit. Each ledger names the other. The turn's outcome is `steered`; `duplicate` if that fork exists;
 * `unheeded`, with the reason in `detail`, if the order can't be forked there, or an account is gone, takes no orders or has too little
 * left.
 * @param status the status from which the new order goes on.
 */
export function forkTask(saga: Saga, origin: string, status: string, steerer: Steerer): LedgerTask {
  const uuid = forkUuid(origin, status);
  const originPath = ledgerPath(origin);
  const originIn = (documents: Documents): Ledger | undefined => {
    const fields = documents.get(originPath);
    return fields && trusted(readLedger(saga, origin, fields), origin);
  };
  return {
    uuid,
    reads(fork, known) {
      if (fork !== undefined || !known.has(originPath)) return [originPath];
      const past = pastOf(saga, originIn(known), status);
      if (typeof past === 'string') return [originPath];
      return [originPath, ...accountsHeld(saga, past), ...neededBy(saga, past).map(({ path }) => path)];
    },
    take(fork, documents, now) {
      if (fork !== undefined && fork.forkOf?.uuid !== origin)
        return { outcome: 'unheeded', ledger: fork, detail: 'Another order has the uuid of this fork' };
      if (fork !== undefined) return { outcome: 'duplicate', ledger: fork };
      const ledger = originIn(documents);
      const past = pastOf(saga, ledger, status);
      if (ledger === undefined) return { outcome: 'ignored' };
      if (typeof past === 'string') return { outcome: 'unheeded', detail: past };
      for (const needed of neededBy(saga, past)) {
        const refusal = refusalFor(needed, readDocument(documents, needed), () => false);
        if (refusal) return { outcome: 'unheeded', detail: refusal.detail };
      }
      const { trace: _trace, forks: _forks, repeats: _repeats, ...copied } = past;
      const begunAt = notBefore(past, now);
      const begun = {
        ...copied,
        uuid,
        shard: shardOf(uuid),
        forkOf: { uuid: origin, at: begunAt },
        sweepAt: null,
      };
      // It stood still since then, and goes on now: so its deadlines begin anew, and the history says who wanted that.
      const stopped = pause(saga, begun, { ...steerer, now: begunAt });
      const { note: _note, ...silently } = steerer;
      const resumed = unpause(saga, stopped, { ...silently, now: begunAt });
      return {
        outcome: 'steered',
        ledger: { ...resumed, sweepAt: nextSweep(saga, resumed, 0, begunAt) },
        announce: true,
        besides: [update(originPath, { forks: [...(ledger.forks ?? []), uuid] })],
        isOptional: true,
      };
    },
  };
}

/** What must be there, and take orders, for the steps that the fork passes over: they would refuse it otherwise. */
const neededBy = (saga: Saga, past: Ledger): readonly DocumentRef[] =>
  saga.actsOf(past).flatMap(({ step }) => step.reads(past));

/** The ledger as it stood in this status; or why the order can't go on from there, as a sentence. */
function pastOf(saga: Saga, ledger: Ledger | undefined, status: string): Ledger | string {
  if (ledger === undefined) return 'There is no such order';
  if (isTombstone(saga, ledger)) return 'The order never came';
  if (!hasEnded(ledger)) {
    return `The order is ${ledger.status}: only one that has come to its end can be forked`;
  }
  const was = ledger.history.map(statusIn);
  const points = was.filter((one, index) => saga.stepsAfter(one).length > 0 && was.indexOf(one) === index);
  const past = points.includes(status) ? ledgerAfter(saga, ledger, was.indexOf(status) + 1) : undefined;
  return past ?? `An order can go on from ${points.join(', ')}, and not from ${status}`;
}
