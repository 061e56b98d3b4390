import { StoreError } from '../ports/store.ts';
import { notFound, Problem } from './http.ts';

/** The HTTP answers if an order can't be shown or moved, for customers and operators alike. */

export const noSuchOrder = (uuid: string): Problem => notFound(`There is no order ${uuid.slice(0, 36)}`);

export const canceledAlready = (uuid: string, reason: string | undefined): Problem =>
  new Problem(409, 'Canceled already', `Order ${uuid} is canceled: ${reason}`);

export const malformedLedger = (uuid: string): Problem =>
  new Problem(503, 'Malformed ledger', `The ledger of order ${uuid} is malformed: operators have to mend it`);

/** The answer if a turn was not taken: the store is away, or the ledger can't be right. */
export const turnProblem = (uuid: string, error: unknown): Error =>
  error instanceof StoreError ? error : malformedLedger(uuid);
