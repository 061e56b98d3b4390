import { announcedAt } from '../ledger/deadline.ts';
import { LEDGERS, type Ledger, SHARD_COUNT } from '../ledger/ledger.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import type { Saga } from '../step/saga.ts';
import type { Inbox } from './inbox.ts';

/**
 * Finds a subscription that has gone silent: it delivers nothing, although ledgers stand and wait for what is on its
 * topic. Nothing else would notice, because a stream that is dead at the other end looks like one without messages.
 */

export interface Watched {
  readonly subscription: string;
  readonly topic: string;
  readonly inbox: Pick<Inbox, 'deliveredCount'>;
}

const CHECK_PAUSE_MS = 30_000;
/** How long a subscription may stay silent although a message was published for it. */
const SILENCE_MAX_MS = 60_000;
/** How many standing orders are looked at. If a subscription is silent, they pile up. */
const LOOK_MAX = 200;
/** Later than any sweep of a standing ledger. */
const HORIZON_MS = 31 * 24 * 60 * 60 * 1000;

/**
 * Checks from time to time, one shard of the ledgers each time, and only while a subscription is silent.
 * @param onSilent is called once, with the subscription that is silent; the process should then end and be started again.
 * @returns a function that stops it.
 */
export function startWatchdog(
  saga: Saga,
  watched: readonly Watched[],
  { store, clock, log }: Pick<Ports, 'store' | 'clock' | 'log'>,
  onSilent: (error: Error) => void,
): () => void {
  const lastHeard = new Map(
    watched.map((one) => [one, { count: one.inbox.deliveredCount(), at: clock.now() }]),
  );
  let shard = 0;
  let stopped = false;
  let callOff = () => {};

  function wait(): void {
    if (stopped) return;
    callOff = clock.after(CHECK_PAUSE_MS, () => void check().then(wait));
  }

  async function check(): Promise<void> {
    const now = clock.now();
    for (const [one, heard] of lastHeard) {
      const count = one.inbox.deliveredCount();
      if (count !== heard.count) lastHeard.set(one, { count, at: now });
    }
    const silent = [...lastHeard].filter(([, { at }]) => now.getTime() - at.getTime() >= SILENCE_MAX_MS);
    if (silent.length === 0) return;
    try {
      const standing = await standingOrders(now);
      for (const [{ subscription, topic }, { at }] of silent) {
        const missed = standing.find(
          (ledger) => topicsOf(saga, ledger).includes(topic) && wasMissed(saga, ledger, at, now),
        );
        if (missed === undefined || stopped) continue;
        stopped = true;
        onSilent(
          new Error(
            `${subscription} has delivered nothing for ${SILENCE_MAX_MS / 1000} s, but order ${missed.uuid} waits for it`,
          ),
        );
        return;
      }
    } catch (error) {
      // The store is away: no reason to end.
      log('WARNING', 'The watchdog could not look at the orders', { error: String(error) });
    }
  }

  async function standingOrders(now: Date): Promise<readonly Ledger[]> {
    shard = (shard + 1) % SHARD_COUNT;
    const until = new Date(now.getTime() + HORIZON_MS);
    const found = await store.due({
      collection: LEDGERS,
      where: { shard },
      field: 'sweepAt',
      until,
      limit: LOOK_MAX,
    });
    return found.flatMap(({ id, fields }) => {
      const read = readLedger(saga, id, fields);
      return 'ledger' in read ? [read.ledger] : [];
    });
  }

  wait();
  return () => {
    stopped = true;
    callOff();
  };
}

/**
 * The topics on which the ledger was announced last. Once it is announced again, that includes the one by which a step begins that
 * runs beside one which is done.
 */
const topicsOf = (saga: Saga, ledger: Ledger): readonly string[] =>
  ledger.repeats ? saga.topicsAgain(ledger) : [saga.topicFor(ledger)];

/** Whether the ledger was announced after the last delivery, and long enough ago to have been delivered since. */
function wasMissed(saga: Saga, ledger: Ledger, lastHeard: Date, now: Date): boolean {
  const announced = announcedAt(saga, ledger);
  return announced > lastHeard && now.getTime() - announced.getTime() >= SILENCE_MAX_MS;
}
