import { pause } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { audit } from './audit.ts';
import type { AuditReport } from './audit-report.ts';

/** How often a page of the snapshot is requested if no answer comes, so that a short outage does not end a long audit. */
const ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 100;

/**
 * Audits everything as it is now.
 * @param onProgress is called now and then with the number of documents checked so far, and awaited.
 * @throws StoreError if the store can't be read, or if the audit takes longer than a snapshot lasts.
 */
export async function takeAudit(
  saga: Saga,
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  onProgress?: (checkedCount: number) => void | Promise<void>,
): Promise<AuditReport> {
  const patiently = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work(...args);
        } catch (error) {
          const isPassing = error instanceof StoreError && error.kind === 'unavailable';
          if (!isPassing || attempt === ATTEMPTS_MAX) throw error;
          await pause(clock, BACKOFF_FIRST_MS * 2 ** attempt);
        }
      }
    };
  };
  const now = clock.now();
  const snapshot = await patiently((from: Store) => from.snapshot())(store);
  return audit(saga, { read: patiently(snapshot.read), scan: patiently(snapshot.scan) }, now, onProgress);
}
