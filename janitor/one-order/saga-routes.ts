import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { answerInTime } from '../../saga/http/answer-in-time.ts';
import { type HttpResponse, Problem, type Route, route } from '../../saga/http/http.ts';
import { emissionFor, type Saga, sagaPath } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { readOne } from '../../saga/ports/store.ts';
import { cancelTask } from '../../saga/step/cancel.ts';
import { type TurnTask, takeTurns } from '../../saga/step/turns.ts';
import { faultOfObject } from '../../shop/order.ts';
import { canceledAlready, noSuchOrder, turnProblem } from '../../shop/order-problems.ts';
import { checkLedger } from '../audit/check-ledger.ts';
import { lettersOfOrder } from '../desk/list-letters.ts';
import { sentenceSchema } from '../sentence.ts';
import { redriveTask } from '../sweep/sweep.ts';
import { examineSaga, LETTERS_MAX } from './examine-saga.ts';

const cancelSchema = z.strictObject(
  { detail: sentenceSchema },
  { error: faultOfObject('must be an object') },
);

/** One order at a time, as operators see it. */
export function sagaRoutes(ports: Ports): readonly Route[] {
  const { store } = ports;

  /**
   * Takes a turn as the janitor.
   * @throws Problem 404 where there is no such order, 503 where its ledger is malformed or nobody knows in time.
   */
  async function turn(uuid: string, taskFor: (uuid: string) => TurnTask) {
    if (!isUuid(uuid)) throw noSuchOrder(uuid);
    const taking = takeTurns('janitor', [taskFor(uuid.toLowerCase())], ports);
    const [taken] = await answerInTime(taking, `/sagas/${uuid}`, ports.clock);
    if (taken === undefined || 'error' in taken) throw turnProblem(uuid, taken?.error);
    const saga = taken.turn.saga;
    if (saga === undefined) throw noSuchOrder(uuid);
    return { saga, outcome: taken.turn.outcome, publishError: taken.publishError };
  }

  return [
    route({
      method: 'GET',
      path: '/sagas/{uuid}',
      summary: 'All that is known of one order',
      audience: 'operators',
      responses: {
        200: 'The ledger, its timeline with causes, what it calls for, its records, and the dead letters that name it; of a malformed ledger the faults instead',
        404: 'No such order',
      },
      async handle({ params: { uuid = '' } }) {
        const ledger = isUuid(uuid) ? await readOne(store, sagaPath(uuid.toLowerCase())) : undefined;
        if (ledger === undefined) throw noSuchOrder(uuid);
        const checked = checkLedger(uuid.toLowerCase(), ledger);
        if ('faults' in checked) {
          const letters = await lettersOfOrder(store, uuid.toLowerCase(), LETTERS_MAX);
          return { status: 200, body: { uuid: uuid.toLowerCase(), faults: checked.faults, ledger, letters } };
        }
        return { status: 200, body: await examineSaga(store, ledger) };
      },
    }),
    route({
      method: 'POST',
      path: '/sagas/{uuid}/redrive',
      summary: 'Publish again what an order calls for, whatever its status',
      audience: 'operators',
      responses: {
        202: 'It was published; who knows it already does nothing again',
        404: 'No such order',
        503: 'The broker or the store does not answer; a standing order is re-driven by the sweeper, too',
      },
      async handle({ params: { uuid = '' } }) {
        const { saga, publishError } = await turn(uuid, redriveTask);
        const topic = emissionFor(saga);
        if (publishError) {
          const detail = `The broker did not take the message for ${topic}; try again`;
          throw new Problem(503, 'Unavailable', detail, { headers: { 'Retry-After': '1' } });
        }
        log('re-driven', saga);
        return accepted(saga, { published: topic });
      },
    }),
    route({
      method: 'POST',
      path: '/sagas/{uuid}/cancel',
      summary: 'Cancel an order, with a sentence that says why',
      audience: 'operators',
      body: cancelSchema,
      responses: {
        202: 'It fails now, or did already; the janitor takes back what was done',
        400: 'The sentence is wrong; errors says why',
        404: 'No such order',
        409: 'It is canceled already',
        503: 'Whether it will be canceled is not known; ask again, unless its ledger is malformed',
      },
      async handle({ params: { uuid = '' }, body: { detail } }) {
        const { saga, outcome, publishError } = await turn(uuid, (id) => cancelTask(id, 'janitor', detail));
        if (saga.status === 'CANCELED') throw canceledAlready(saga.uuid, saga.reason);
        // The ledger says that the order is failing; where the broker is away, the sweeper publishes it.
        if (outcome === 'accepted') log('canceled', saga, publishError);
        return accepted(saga, { reason: saga.reason, detail: saga.detail });
      },
    }),
  ];

  function log(what: string, { uuid, status }: Saga, error?: Error): void {
    const fields = { step: 'janitor', uuid, status, ...(error && { error: error.message }) };
    ports.log(error ? 'WARNING' : 'INFO', `janitor: an operator asked for this order to be ${what}`, fields);
  }
}

const accepted = ({ uuid, status }: Saga, more: object): HttpResponse => ({
  status: 202,
  headers: { Location: `/sagas/${uuid}` },
  body: { uuid, status, ...more },
});
