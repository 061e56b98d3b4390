import { notFound, Problem } from '../saga/http/http.ts';
import { StoreError } from '../saga/ports/store.ts';

/** What HTTP answers where an order can't be shown or moved, to its customer and to operators alike. */

export const noSuchOrder = (uuid: string): Problem => notFound(`There is no order ${uuid.slice(0, 36)}`);

export const canceledAlready = (uuid: string, reason: string | undefined): Problem =>
  new Problem(409, 'Canceled already', `Order ${uuid} is canceled: ${reason}`);

export const malformedLedger = (uuid: string): Problem =>
  new Problem(503, 'Malformed ledger', `The ledger of order ${uuid} is malformed: operators have to mend it`);

/** What to answer where a turn was not taken: the store is away, or the ledger does not let itself be moved. */
export const turnProblem = (uuid: string, error: unknown): Error =>
  error instanceof StoreError ? error : malformedLedger(uuid);
