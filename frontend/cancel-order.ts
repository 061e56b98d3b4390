import { validate as isUuid } from 'uuid';
import { takeTurns } from '../saga/deliver/turns.ts';
import { answerInTime } from '../saga/http/answer-in-time.ts';
import { canceledAlready, noSuchOrder, turnProblem } from '../saga/http/ledger-problems.ts';
import { CANCELED, type Ledger } from '../saga/ledger/ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { cancelTask } from '../saga/step/cancel.ts';
import type { Saga } from '../saga/step/saga.ts';

/**
 * Cancels an order because its customer asks for it. A second call while it is failing does nothing more.
 * @returns the ledger: from here on the order ends as canceled, even if the broker could not be reached.
 * @throws Problem 404 if there is no such order, 409 if it is canceled already, 503 if its ledger is malformed or there is no
 * answer in time; StoreError if the store does not answer.
 */
export async function cancelOrder(saga: Saga, ports: Ports, uuid: string): Promise<Ledger> {
  if (!isUuid(uuid)) throw noSuchOrder(uuid);
  const task = cancelTask(saga, uuid.toLowerCase(), {
    by: 'frontend',
    reason: 'CANCELED_BY_CUSTOMER',
    detail: 'The customer canceled the order',
  });
  const [taken] = await answerInTime(
    takeTurns(saga, 'frontend', [task], ports),
    `/order/${uuid}`,
    ports.clock,
  );
  if (taken === undefined || 'error' in taken) throw turnProblem(uuid, taken?.error);
  const { turn, publishError } = taken;
  if (turn.ledger === undefined) throw noSuchOrder(uuid);
  if (turn.ledger.status === CANCELED) throw canceledAlready(uuid, turn.ledger.reason);
  if (publishError) {
    // The ledger says that the order is failing; the sweeper publishes it.
    ports.log('WARNING', 'frontend: a cancellation was stored but not yet published', {
      uuid,
      error: publishError.message,
    });
  }
  return turn.ledger;
}
