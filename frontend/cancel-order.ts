import type { Caller } from '../saga/http/caller.ts';
import { canceledAlready, turnOnRequest } from '../saga/http/one-order.ts';
import { CANCELED, type Ledger } from '../saga/ledger/ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { cancelTask } from '../saga/steer/cancel.ts';
import type { Saga } from '../saga/step/saga.ts';

/** Who cancels an order at its customer's wish, and why it then fails. */
export const CUSTOMER_CANCELS = {
  by: 'frontend',
  reason: 'CANCELED_BY_CUSTOMER',
  detail: 'The customer canceled the order',
} as const;

/**
 * Cancels an order because its customer asks for it. A second call while it is failing does nothing more.
 * @returns the ledger: from here on the order ends as canceled, even if the broker could not be reached.
 * @throws Problem 409 if it is canceled already, or has come to another end that is final, and what every turn on request throws.
 */
export async function cancelOrder(saga: Saga, ports: Ports, uuid: string, caller?: Caller): Promise<Ledger> {
  const { ledger, publishError } = await turnOnRequest(
    saga,
    'frontend',
    uuid,
    (id) => cancelTask(saga, id, CUSTOMER_CANCELS),
    `/order/${uuid}`,
    ports,
    caller,
  );
  if (ledger.status === CANCELED) throw canceledAlready(uuid, ledger.reason);
  if (publishError) {
    // The ledger says that the order is failing; the sweeper publishes it.
    ports.log('WARNING', 'frontend: a cancellation was stored but not yet published', {
      uuid,
      error: publishError.message,
    });
  }
  return ledger;
}
