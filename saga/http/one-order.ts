import { validate as isUuid } from 'uuid';
import { takeTurns } from '../deliver/turns.ts';
import { ledgerPath } from '../ledger/ledger.ts';
import { MalformedLedger, type ReadLedger, readLedger } from '../ledger/read-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { readOne, type Store } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask } from '../step/turn.ts';
import { answerInTime } from './answer-in-time.ts';
import { type Caller, mayAct } from './caller.ts';
import { notFound, Problem } from './http.ts';

/** Requests about one order, from customers and operators alike: its ledger is read, or a turn is taken on it. */

const noSuchOrder = (uuid: string): Problem => notFound(`There is no order ${uuid.slice(0, 36)}`);

/** No 503, because it will be the same until operators have mended it: to try again is of no use. */
export const malformedLedger = (uuid: string): Problem =>
  new Problem(500, 'Malformed ledger', `The ledger of order ${uuid} is malformed: operators have to mend it`);

export const canceledAlready = (uuid: string, reason: string | undefined): Problem =>
  new Problem(409, 'Canceled already', `Order ${uuid} is canceled: ${reason}`);

/**
 * The ledger of the order that a request names, or its faults; and the fields as they are stored.
 * @throws Problem 404 if there is no such order, or if it is that of another customer.
 */
export async function ledgerOf(
  saga: Saga,
  store: Store,
  uuid: string,
  caller?: Caller,
): Promise<ReadLedger & { readonly fields: object }> {
  const id = uuid.toLowerCase();
  const fields = isUuid(id) ? await readOne(store, ledgerPath(id)) : undefined;
  if (fields === undefined || !maySee(saga, caller, fields)) throw noSuchOrder(uuid);
  return { ...readLedger(saga, id, fields), fields };
}

/** Whether a caller may see the order of this ledger, be the rest of it right or wrong. */
export const maySee = (
  { order: { ownedBy = '' } }: Saga,
  caller: Caller | undefined,
  ledger: object,
): boolean => mayAct(caller, (ledger as Readonly<Record<string, unknown>>)[ownedBy]);

/**
 * Takes a turn on the order that a request names.
 * @param party who asks for it.
 * @param path where to see what became of it, if there is no answer in time.
 * @throws Problem 404 if there is no such order or it is that of another customer, 409 if the turn is `unheeded`, 500 if the ledger
 * is malformed, 503 if there is no answer in time; StoreError if the store does not answer.
 */
export async function turnOnRequest(
  saga: Saga,
  party: string,
  uuid: string,
  taskFor: (uuid: string) => LedgerTask,
  path: string,
  ports: Ports,
  caller?: Caller,
) {
  if (!isUuid(uuid)) throw noSuchOrder(uuid);
  // Asked before the turn, because an order goes to another customer only once it has come to its end.
  if (caller?.kind === 'customer') await ledgerOf(saga, ports.store, uuid, caller);
  const taking = takeTurns(saga, party, [taskFor(uuid.toLowerCase())], ports);
  const [taken] = await answerInTime(taking, path, ports.clock);
  if ('error' in taken) throw taken.error instanceof MalformedLedger ? malformedLedger(uuid) : taken.error;
  const { turn, publishError } = taken;
  if (turn.outcome === 'unheeded')
    throw new Problem(409, 'Conflict', turn.detail ?? "The order can't heed it");
  if (turn.ledger === undefined) throw noSuchOrder(uuid);
  return { ledger: turn.ledger, outcome: turn.outcome, publishError };
}
