import { hasEnded } from '../ledger/deadline.ts';
import { fail, isFailed, type Ledger, stageOf } from '../ledger/ledger.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask } from '../step/turn.ts';

/**
 * Cancels an order, unless its end is final: it fails, and the janitor gives back what it holds. A step that commits
 * at the same time either comes first, and is compensated, or finds the order failing.
 * The turn's outcome is `accepted`; `duplicate` if the order is already failing or canceled; `unheeded` if nothing leaves the
 * end to which it has come, or goes; `ignored` if there is none.
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
      const detail = whyFinal(saga, ledger);
      if (detail !== undefined) return { outcome: 'unheeded', ledger, detail };
      return { outcome: 'accepted', ledger: fail(saga, ledger, { ...wish, now }), detail: wish.detail };
    },
  };
}

/**
 * Why nothing but its last step decides about the order any more, as a sentence; undefined if it can be canceled. It has come to an
 * end that is final, in this release or in one for which that was the last step. Or the word has come that leads there: the goods may
 * be with the customer, however long the step takes to see it.
 */
function whyFinal(saga: Saga, ledger: Ledger): string | undefined {
  const final = saga.steps.filter(({ isFinal }) => isFinal);
  if (hasEnded(ledger))
    return final.some(({ leadsTo }) => leadsTo === ledger.status)
      ? `The order is ${ledger.status}, and that is final`
      : undefined;
  const heard = saga
    .stepsAt({ ...ledger, status: stageOf(ledger) })
    .find((step) => final.includes(step) && ledger.heard?.[step.name]);
  return heard && `The order has heard "${ledger.heard?.[heard.name]?.word}", and that is final`;
}
