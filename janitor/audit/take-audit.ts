import { pause } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Snapshot, type Store, StoreError } from '../../saga/ports/store.ts';
import { audit } from './audit.ts';
import type { AuditReport } from './audit-report.ts';

/** How often a piece of the snapshot is asked for while no answer comes: an audit of an hour outlives a blink. */
const ATTEMPTS_MAX = 5;
const BACKOFF_FIRST_MS = 100;

/**
 * Audits everything as it is now.
 * @param onProgress is told now and then how many documents have been checked, and waited for.
 * @throws StoreError where the store can't be read, also because the audit took longer than a snapshot lasts.
 */
export async function takeAudit(
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
  const snapshot: Snapshot = await patiently((from: Store) => from.snapshot())(store);
  return audit({ read: patiently(snapshot.read), scan: patiently(snapshot.scan) }, now, onProgress);
}
