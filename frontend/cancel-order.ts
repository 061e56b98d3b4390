import { validate as isUuid } from 'uuid';
import { answerInTime } from '../saga/http/answer-in-time.ts';
import type { Saga } from '../saga/ledger/ledger.ts';
import { isLegible } from '../saga/ledger/legible-ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { cancelTask } from '../saga/step/cancel.ts';
import { takeTurns } from '../saga/step/turns.ts';
import { canceledAlready, malformedLedger, noSuchOrder, turnProblem } from '../shop/order-problems.ts';

/**
 * Cancels an order because its customer asks for it. A second call while it is failing does nothing more.
 * @returns the ledger: from here on the order ends as canceled, even if the broker could not be reached.
 * @throws Problem 404 where there is no such order, 409 where it is canceled already, 503 where its ledger is malformed or
 * nobody knows in time; StoreError where the store does not answer.
 */
export async function cancelOrder(ports: Ports, uuid: string): Promise<Saga> {
  if (!isUuid(uuid)) throw noSuchOrder(uuid);
  const task = cancelTask(uuid.toLowerCase(), 'frontend', 'The customer canceled the order');
  const [taken] = await answerInTime(takeTurns('frontend', [task], ports), `/order/${uuid}`, ports.clock);
  if (taken === undefined || 'error' in taken) throw turnProblem(uuid, taken?.error);
  const { turn, publishError } = taken;
  if (turn.saga === undefined) throw noSuchOrder(uuid);
  if (turn.saga.status === 'CANCELED') throw canceledAlready(uuid, turn.saga.reason);
  // One that is failing already is not looked at by the turn.
  if (!isLegible(turn.saga)) throw malformedLedger(uuid);
  if (publishError) {
    // The ledger says that the order is failing; the sweeper publishes it.
    ports.log('WARNING', 'frontend: a cancellation was stored but not yet published', {
      uuid,
      error: publishError.message,
    });
  }
  return turn.saga;
}
