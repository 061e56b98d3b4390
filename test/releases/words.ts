import { type Ledger, PAUSED } from '../../saga/ledger/ledger.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { wordOf } from '../support/builders.ts';
import { wordRequest } from '../support/words.ts';
import type { RecordedOrder } from './recording.ts';

/** A request that lets an order go on, and the service that answers it. */
export interface WordRequest {
  readonly service: string;
  readonly path: string;
  readonly body: object;
}

/**
 * Says to every order that waits what it waits for: what its story wants, or the first word of its step. A paused one is let go on.
 */
export const requestsOf = (
  saga: Saga,
  ledgers: readonly Ledger[],
  orders: readonly RecordedOrder[],
): readonly WordRequest[] =>
  ledgers.flatMap(({ uuid, status }) => {
    if (status === PAUSED) {
      return [
        { service: 'janitor', path: `/sagas/${uuid}/resume`, body: { note: 'The new release is out' } },
      ];
    }
    const step = saga.waitingIn(status);
    if (step === undefined) return [];
    const { word } = orders.find((order) => order.uuid === uuid) ?? {};
    const said = word !== undefined && word.word in step.waits.words ? word : wordOf(step.waits);
    return [{ service: step.waits.heardBy, ...wordRequest(step, uuid, said) }];
  });
