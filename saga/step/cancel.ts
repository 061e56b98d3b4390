import { fail, type Party } from '../ledger/ledger.ts';
import type { TurnTask } from './turns.ts';

/**
 * Cancels an order, at any stage before the end: it fails, and the janitor takes back what was done. A step that
 * commits at the same time either comes first, and is undone, or finds the order failing.
 * The turn's outcome is `accepted`; `duplicate` where the order is failing or canceled already; `ignored` where there is none.
 * @param detail why, in a sentence for people.
 */
export function cancelTask(uuid: string, by: Party, detail: string): TurnTask {
  return {
    uuid,
    reads: () => [],
    take(saga, _documents, now) {
      if (saga === undefined) return { outcome: 'ignored', writes: [] };
      if (saga.status === 'FAILING' || saga.status === 'CANCELED') {
        return { outcome: 'duplicate', writes: [], saga };
      }
      return {
        outcome: 'accepted',
        writes: [],
        saga: fail(saga, by, 'CANCELED_BY_CUSTOMER', detail, now),
        detail,
      };
    },
  };
}
