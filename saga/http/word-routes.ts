import { snapshot } from '../deliver/message.ts';
import type { Ports } from '../ports/ports.ts';
import { wordTask } from '../step/hear-word.ts';
import type { Saga, WaitingStep } from '../step/saga.ts';
import { snapshotSchema } from './answers.ts';
import { operatorIn } from './caller.ts';
import { type Route, route } from './http.ts';
import { turnOnRequest } from './one-order.ts';

/**
 * The routes by which a word is said to an order that waits: `POST /order/{uuid}/approve`. The word is only recorded here, also
 * by the step's own service. If that decided at once and then died, nothing would make it announce the end of an order that has
 * come to rest; an order that goes on is found by the sweep.
 * @param by the service that listens.
 */
export const wordRoutes = (saga: Saga, step: WaitingStep, by: string, ports: Ports): readonly Route[] =>
  Object.entries(step.waits.words).map(([word, carries]) => {
    const { path, audience, as } = step.waits;
    return route({
      method: 'POST',
      path: `/${path}/${word}`,
      summary: `Say "${word}" to an order that is ${as}`,
      audience: audience ?? 'customers',
      ...(Object.keys(carries.shape).length > 0 && { body: carries }),
      answer: snapshotSchema(saga),
      responses: {
        202: 'The order has heard it, now or before, and goes on',
        404: 'No such order',
        409: 'The order does not wait for it, or has heard another word before',
        500: 'Its ledger is malformed: operators have to mend it',
        503: 'Whether the order has heard it is not known; say it again',
      },
      async handle({ params: { uuid = '' }, body, caller }) {
        const spoken = { word: { ...(body as object | undefined), word }, by, person: operatorIn(caller) };
        const { ledger, publishError } = await turnOnRequest(
          saga,
          by,
          uuid,
          (id) => wordTask(saga, step, { uuid: id, ...spoken }),
          `/order/${uuid}`,
          ports,
          caller,
        );
        // The ledger says that the order goes on; if the broker is away, the sweeper publishes it.
        const fields = {
          step: by,
          uuid: ledger.uuid,
          status: ledger.status,
          word,
          operator: spoken.person,
          error: publishError?.message,
        };
        ports.log(publishError ? 'WARNING' : 'INFO', `${by}: an order has heard a word`, fields);
        const headers = { Location: `/order/${ledger.uuid}` };
        return { status: 202, headers, body: snapshot(saga, ledger) };
      },
    });
  });
