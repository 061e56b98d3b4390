import type { SagaMessage } from '../deliver/message.ts';
import { CANCELED, complete, FAILING, tombstone } from '../ledger/ledger.ts';
import { accountsHeld } from './holds.ts';
import type { Saga } from './saga.ts';
import type { LedgerTask } from './turn.ts';

/**
 * Compensation: cancels an order that is failing. A canceled order holds nothing, so the same commit gives back everything
 * it held. It acts on the ledger, never on the claim in a message: an order that is not failing stays as it is, and an
 * unknown one is fenced by a tombstone.
 * @param by who compensates.
 * @param deadlineSeconds goes into the tombstone, as into every ledger.
 */
export function compensationTask(
  saga: Saga,
  { uuid, order, reason, trace }: SagaMessage,
  by: string,
  deadlineSeconds: number,
): LedgerTask {
  return {
    uuid,
    reads(ledger) {
      if (ledger !== undefined) return ledger.status === FAILING ? accountsHeld(saga, ledger) : [];
      if (order === undefined) return [];
      const read = saga.steps.flatMap((step) => step.reads(order));
      return read.filter(({ kind }) => kind.held === 'amounts').map(({ path }) => path);
    },
    take(ledger, _documents, now) {
      if (ledger === undefined) {
        const detail = 'The order failed before anybody knew it';
        const failure = { by, reason: reason ?? saga.unknownReason, detail, now };
        return { outcome: 'fenced', ledger: tombstone(saga, uuid, failure, deadlineSeconds, trace), detail };
      }
      if (ledger.status === CANCELED) return { outcome: 'duplicate', ledger };
      if (ledger.status !== FAILING) {
        return { outcome: 'ignored', ledger, detail: `The order is ${ledger.status}, not failing` };
      }
      return { outcome: 'compensated', ledger: complete(saga, ledger, by, now) };
    },
  };
}
