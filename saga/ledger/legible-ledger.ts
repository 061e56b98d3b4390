import { validate as isUuid } from 'uuid';
import type { Saga } from './ledger.ts';

/**
 * Ledgers are believed, because nobody but us writes them. Where somebody did, with an editor, HTTP still answers with a
 * sentence.
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
