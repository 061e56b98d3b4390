import type { SagaMessage } from '../deliver/message.ts';
import { complete, FAILING, isFailed, type Ledger, leftBy, RESUMED } from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';
import { accountsHeld, changeableBy } from './holds.ts';
import type { Saga } from './saga.ts';
import type { Step } from './step.ts';
import { takeStep } from './take-step.ts';
import type { LedgerTask } from './turn.ts';

/**
 * Orchestration: one service takes the steps of an order in turn. Each is a commit of its own in the same ledger, and the ledger
 * then calls for the workflow again, so a crash anywhere leaves an order that goes on where it stands. If the order fails, the
 * orchestrator compensates it as the janitor would. What a step is, it does not know.
 * @param by who orchestrates.
 * @param settingsOf the values of a step's settings.
 */
export function orchestrationTask(
  saga: Saga,
  { uuid }: SagaMessage,
  by: string,
  settingsOf: (step: Step) => object,
): LedgerTask {
  /** What its next turn needs besides the ledger. */
  function needed(ledger: Ledger): readonly Path[] {
    if (ledger.status === FAILING) return accountsHeld(saga, ledger);
    const [step] = saga.stepsAt(ledger);
    if (step === undefined) return [];
    const changeable = ledger.status === RESUMED ? changeableBy(saga, step, ledger) : [];
    return [...step.reads(ledger).map(({ path }) => path), ...changeable];
  }
  return {
    uuid,
    reads: (ledger) => (ledger !== undefined && saga.isOrchestrated(ledger) ? needed(ledger) : []),
    take(ledger, documents, now) {
      if (ledger === undefined) return { outcome: 'parked', detail: 'No order has the uuid of the message' };
      // Its steps are done by their own services.
      if (!saga.isOrchestrated(ledger)) return { outcome: 'ignored', ledger };
      // Another message of this batch has just moved the order on, and what follows from that comes with a message of its own.
      if (!needed(ledger).every((path) => documents.has(path))) return { outcome: 'duplicate', ledger };
      if (ledger.status === FAILING) {
        return { outcome: 'compensated', ledger: complete(saga, ledger, by, now) };
      }
      const [step] = saga.stepsAt(ledger);
      if (step !== undefined) return takeStep(saga, step, ledger, documents, settingsOf(step), now, by);
      return { outcome: isFailed(ledger) && !leftBy(ledger, by) ? 'fenced' : 'duplicate', ledger };
    },
  };
}
