import { hasEnded } from '../ledger/deadline.ts';
import { fail, isFailed } from '../ledger/ledger.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask } from '../step/turn.ts';

/**
 * Cancels an order, unless it has come to an end that is final: it fails, and the janitor gives back what it holds. A step that commits
 * at the same time either comes first, and is compensated, or finds the order failing.
 * The turn's outcome is `accepted`; `duplicate` if the order is already failing or canceled; `unheeded` if nothing leaves the end to
 * which it has come; `ignored` if there is none.
 * @param wish who cancels (the service, and the operator who asked it to), with a reason for programs and a sentence for people.
 */
export function cancelTask(
  saga: Saga,
  uuid: string,
  wish: {
    readonly by: string;
    readonly person?: string | undefined;
    readonly reason: string;
    readonly detail: string;
  },
): LedgerTask {
  return {
    uuid,
    take(ledger, _documents, now) {
      if (ledger === undefined) return { outcome: 'ignored' };
      if (isFailed(ledger)) return { outcome: 'duplicate', ledger };
      if (hasEnded(ledger) && saga.isFinal(ledger.status))
        return { outcome: 'unheeded', ledger, detail: `The order is ${ledger.status}, and that is final` };
      return { outcome: 'accepted', ledger: fail(saga, ledger, { ...wish, now }), detail: wish.detail };
    },
  };
}
