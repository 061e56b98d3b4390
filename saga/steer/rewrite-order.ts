import { hasEnded } from '../ledger/deadline.ts';
import { historyLine } from '../ledger/history.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { readLedger, trusted } from '../ledger/read-ledger.ts';
import { changeOf, holdsOf } from '../step/holds.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask } from '../step/turn.ts';

/**
 * Replaces what the ledger of an order at rest says: what was asked, what steps have learned, the detail of a failure. What the
 * order holds follows from that, so its records change or move in the same commit, and amounts go from one account to another. The
 * history stays as it is.
 * The turn's outcome is `rewritten`; `duplicate` if there is nothing to replace; `unheeded` if the order stands, because a step may be
 * at work on it; `ignored` if there is none.
 * @param replaces the fields with their new values, none left out or added; undefined if there is nothing to replace. Pure.
 * @param wish the service that does it, and the operator who wants it.
 */
export function rewriteTask(
  saga: Saga,
  uuid: string,
  replaces: (ledger: Ledger) => object | undefined,
  { by, person }: { readonly by: string; readonly person?: string | undefined },
): LedgerTask {
  return {
    uuid,
    reads(ledger) {
      if (ledger === undefined) return [];
      const fields = replaces(ledger);
      if (fields === undefined) return [];
      return [ledger, { ...ledger, ...fields }].flatMap((one) => holdsOf(saga, one).map(({ path }) => path));
    },
    take(ledger, documents, now) {
      if (ledger === undefined) return { outcome: 'ignored' };
      const fields = replaces(ledger);
      if (fields === undefined) return { outcome: 'duplicate', ledger };
      const { status } = ledger;
      if (!hasEnded(ledger)) return { outcome: 'unheeded', ledger, detail: `The order stands as ${status}` };
      const rewritten = historyLine(status, by, now, person);
      const after = trusted(readLedger(saga, uuid, { ...ledger, ...fields, rewritten }), uuid);
      // Whoever decides a turn lets an order fail that lacks something. But this one has come to rest.
      const change = changeOf(saga, ledger, after, documents);
      if ('shortage' in change) throw new Error(change.shortage.detail);
      return { outcome: 'rewritten', ledger: after };
    },
  };
}
