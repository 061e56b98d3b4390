import { z } from 'zod';
import { snapshotSchema } from '../../saga/http/answers.ts';
import { type Caller, operatorIn } from '../../saga/http/caller.ts';
import { type HttpResponse, type Route, route, unavailable } from '../../saga/http/http.ts';
import { canceledAlready, ledgerOf, turnOnRequest } from '../../saga/http/one-order.ts';
import { sentenceSchema } from '../../saga/input/sentence.ts';
import { CANCELED, CANCELED_BY_OPERATOR, type Ledger } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { cancelTask } from '../../saga/steer/cancel.ts';
import { oncePerSaga } from '../../saga/step/once-per-saga.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { LedgerTask } from '../../saga/step/turn.ts';
import { lettersOfOrder } from '../desk/list-letters.ts';
import { announceTask } from '../sweep/sweep.ts';
import { examinationSchema, examineSaga, malformedSchema } from './examine-saga.ts';

const cancelSchema = z.strictObject({ detail: sentenceSchema }, { error: 'must be an object' });

/** What is known of an order, whether or not its ledger can be believed. */
export const sagaSchema = oncePerSaga((saga: Saga) => z.union([examinationSchema(saga), malformedSchema]));
/** What is said of an order that was announced again, and of one that was canceled. */
export const announcedSchema = ({ statuses }: Saga) =>
  z.object({ uuid: z.uuid(), status: z.enum(statuses), published: z.string() });
export const canceledSchema = (saga: Saga) =>
  snapshotSchema(saga).pick({ uuid: true, status: true, reason: true, detail: true });

const MALFORMED = 'Its ledger is malformed: GET /sagas/{uuid} names the faults';

/** One order at a time, as operators see it. */
export function sagaRoutes(saga: Saga, ports: Ports): readonly Route[] {
  const { store } = ports;

  const turn = (uuid: string, taskFor: (uuid: string) => LedgerTask) =>
    turnOnRequest(saga, 'janitor', uuid, taskFor, `/sagas/${uuid}`, ports);

  return [
    route({
      method: 'GET',
      path: '/sagas/{uuid}',
      summary: 'All that is known of one order',
      answer: sagaSchema(saga),
      audience: 'operators',
      responses: {
        200: 'The ledger, its timeline with causes, what it calls for, its records, and the dead letters that name it; of a malformed ledger the faults instead',
        404: 'No such order',
      },
      async handle({ params: { uuid = '' } }) {
        const read = await ledgerOf(saga, store, uuid);
        if ('ledger' in read) return { status: 200, body: await examineSaga(saga, store, read.ledger) };
        const id = uuid.toLowerCase();
        const letters = await lettersOfOrder(store, id);
        return { status: 200, body: { uuid: id, faults: read.faults, ledger: read.fields, letters } };
      },
    }),
    route({
      method: 'POST',
      path: '/sagas/{uuid}/announce',
      summary: 'Announce an order again: publish what its ledger calls for, whatever its status',
      answer: announcedSchema(saga),
      audience: 'operators',
      responses: {
        202: 'It was published; a service that has handled it does nothing',
        404: 'No such order',
        500: MALFORMED,
        503: 'The broker or the store does not answer; the sweep announces a standing order, too',
      },
      async handle({ params: { uuid = '' }, caller }) {
        const { ledger, publishError } = await turn(uuid, (id) => announceTask(saga, id));
        const topic = saga.topicFor(ledger);
        if (publishError) throw unavailable(`The broker did not take the message for ${topic}; try again`);
        log('announced again', ledger, caller);
        return accepted(ledger, { published: topic });
      },
    }),
    route({
      method: 'POST',
      path: '/sagas/{uuid}/cancel',
      summary: 'Cancel an order, with a sentence that says why',
      answer: canceledSchema(saga),
      audience: 'operators',
      body: cancelSchema,
      responses: {
        202: 'It fails now, or did already; the janitor takes back what was done',
        404: 'No such order',
        409: 'It has come to its end',
        500: MALFORMED,
        503: 'Whether it will be canceled is not known; ask again',
      },
      async handle({ params: { uuid = '' }, body: { detail }, caller }) {
        const wish = { by: 'janitor', person: operatorIn(caller), reason: CANCELED_BY_OPERATOR, detail };
        const { ledger, outcome, publishError } = await turn(uuid, (id) => cancelTask(saga, id, wish));
        if (ledger.status === CANCELED) throw canceledAlready(ledger.uuid, ledger.reason);
        // The ledger says that the order is failing; if the broker is away, the sweeper publishes it.
        if (outcome === 'accepted') log('canceled', ledger, caller, publishError);
        return accepted(ledger, { reason: ledger.reason, detail: ledger.detail });
      },
    }),
  ];

  function log(what: string, { uuid, status }: Ledger, caller: Caller | undefined, error?: Error): void {
    const operator = operatorIn(caller);
    const fields = { step: 'janitor', uuid, status, operator, error: error?.message };
    ports.log(error ? 'WARNING' : 'INFO', `janitor: an operator asked for this order to be ${what}`, fields);
  }
}

const accepted = ({ uuid, status }: Ledger, more: object): HttpResponse => ({
  status: 202,
  headers: { Location: `/sagas/${uuid}` },
  body: { uuid, status, ...more },
});
