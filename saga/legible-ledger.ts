import { validate as isUuid } from 'uuid';
import { Problem } from './http.ts';
import type { Saga } from './ledger.ts';
import { StoreError } from './store.ts';

/**
 * Ledgers are believed, because nobody but us writes them. Where somebody did, with an editor, HTTP still answers with a
 * sentence: these are the two places at which it would fall.
 */

/** Whether a ledger has what it takes to be shown; whether it is right, the audit says. */
export function isLegible({ uuid, items, history, paymentError, createdAt }: Partial<Saga>): boolean {
  return (
    isUuid(uuid) &&
    Array.isArray(items) &&
    Array.isArray(history) &&
    history.length > 0 &&
    history.every((line) => typeof line === 'string') &&
    (paymentError === undefined || isJson(paymentError)) &&
    createdAt instanceof Date
  );
}

function isJson(text: unknown): boolean {
  try {
    JSON.parse(String(text));
    return typeof text === 'string';
  } catch {
    return false;
  }
}

/** What to answer where a turn was not taken: the store is away, or the ledger does not let itself be moved. */
export const turnProblem = (uuid: string, error: unknown): Error =>
  error instanceof StoreError ? error : malformedLedger(uuid);

export const malformedLedger = (uuid: string): Problem =>
  new Problem(503, 'Malformed ledger', `The ledger of order ${uuid} is malformed: operators have to mend it`);
