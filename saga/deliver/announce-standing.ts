import { hasEnded } from '../ledger/deadline.ts';
import { lastTransition } from '../ledger/history.ts';
import { LEDGERS, type Ledger } from '../ledger/ledger.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { scanPages } from '../ports/scan-pages.ts';
import type { Snapshot } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import { messageFor } from './message.ts';

/** So many ledgers are read, and announced, at once. */
const PAGE = 500;

/**
 * How long before the last sign of life an order may have come to its end and is announced again. The announcement of an end follows
 * its commit within milliseconds; the rest is for those who were told by then but could not be reached, such as a webhook.
 */
export const RECENT_MINUTES = 2;

/**
 * Announces again whatever stands, and whatever has just come to rest: for an engine whose broker forgets. Every message is derived from
 * its ledger, so one that had arrived before is a repeat under the same id. It writes nothing.
 *
 * A sweep would find what stands, one pause later. What has come to its end, no sweep looks at: where the broker remembers, the
 * message that led to the end comes again and announces it; here that message is gone, too.
 * @returns how many orders were announced.
 */
export async function announceStanding(saga: Saga, { store, bus, log }: Ports): Promise<number> {
  const snapshot = await store.snapshot();
  let lastSignMs = 0;
  for await (const ledgers of pagesOf(snapshot, () => {}, saga)) {
    for (const ledger of ledgers) lastSignMs = Math.max(lastSignMs, lastTransition(ledger).at.getTime());
  }
  const since = new Date(lastSignMs - 60_000 * RECENT_MINUTES);
  let announced = 0;
  const complain = (uuid: string, faults: readonly string[]) =>
    log('ERROR', 'A ledger that can not be right was not announced', { uuid, detail: faults.join('; ') });
  for await (const ledgers of pagesOf(snapshot, complain, saga)) {
    const wanted = ledgers.filter((ledger) => isWanted(ledger, since));
    const messages = wanted.flatMap((ledger) =>
      saga.topicsAgain(ledger).map((topic) => messageFor(saga, ledger, topic)),
    );
    const results = messages.length > 0 ? await bus.publish(messages) : [];
    const error = results.find((result) => result !== undefined);
    if (error) throw error;
    announced += wanted.length;
  }
  return announced;
}

const isWanted = (ledger: Ledger, since: Date): boolean =>
  !hasEnded(ledger) || lastTransition(ledger).at >= since;

/** All ledgers that can be believed, a page at a time. */
async function* pagesOf(
  snapshot: Snapshot,
  onFaults: (uuid: string, faults: readonly string[]) => void,
  saga: Saga,
): AsyncGenerator<readonly Ledger[]> {
  for await (const page of scanPages(snapshot, LEDGERS, PAGE)) {
    yield page.flatMap(({ path, fields }) => {
      const uuid = path.slice(LEDGERS.length + 1);
      const read = readLedger(saga, uuid, fields);
      if ('ledger' in read) return [read.ledger];
      onFaults(uuid, read.faults);
      return [];
    });
  }
}
