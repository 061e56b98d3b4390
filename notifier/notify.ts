import type { SagaMessage } from '../saga/deliver/message.ts';
import type { TakenTurn } from '../saga/deliver/turns.ts';
import { type Ledger, ledgerPath } from '../saga/ledger/ledger.ts';
import { readLedger, trusted } from '../saga/ledger/read-ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import type { Post } from '../saga/ports/post.ts';
import type { Saga } from '../saga/step/saga.ts';
import { hasComeTo, notificationFor, verdictOn } from './notification.ts';
import type { Webhook } from './settings.ts';

/** How many notifications of a batch are under way at once. */
export const POSTS_MAX = 16;
/**
 * How long after its batch began a notification may begin, in milliseconds. With the time that the receiver has by default, a
 * message is then done before its ack deadline; what has to wait longer comes again.
 */
export const BATCH_MS = 5_000;

/**
 * Tells the receiver what became of the orders that messages name, each as its ledger says.
 * @param topic that announces the end of which to tell.
 * @returns what the consumer of a topic makes of a batch. Never rejects.
 */
export function createNotifying(
  saga: Saga,
  topic: string,
  webhook: Webhook,
  post: Post,
  { store, clock, log }: Pick<Ports, 'store' | 'clock' | 'log'>,
): (messages: readonly SagaMessage[]) => Promise<readonly TakenTurn[]> {
  async function tell(uuid: string, fields: object | undefined, startMs: number): Promise<TakenTurn> {
    // Without the uuid in the sentence, the desk can count letters by their reason.
    if (fields === undefined)
      return { turn: { outcome: 'parked', detail: 'No order has the uuid of the message' } };
    const ledger = trusted(readLedger(saga, uuid, fields), uuid);
    if (!hasComeTo(saga, ledger, topic)) return { turn: { outcome: 'ignored', ledger } };
    return send(ledger, startMs);
  }

  async function send(ledger: Ledger, startMs: number): Promise<TakenTurn> {
    const now = clock.now();
    if (now.getTime() - startMs > BATCH_MS) throw new Error('The receiver is too slow for so many orders');
    const status = await post(notificationFor(saga, ledger, webhook, now));
    const verdict = verdictOn(status);
    if (verdict === 'again') throw new Error(`The receiver answered ${status}`);
    return { turn: { outcome: verdict, ledger } };
  }

  return async (messages) => {
    const startMs = clock.now().getTime();
    // A batch may hold a message and its repeat.
    const uuids = [...new Set(messages.map(({ uuid }) => uuid))];
    const found = await store.read(uuids.map(ledgerPath)).catch((error: unknown) => ({ error }));
    if ('error' in found) return messages.map(() => found);
    const told = await mapSome(uuids, POSTS_MAX, (uuid) =>
      tell(uuid, found.get(ledgerPath(uuid))?.fields, startMs).catch((error: unknown) => ({ error })),
    );
    const reactions = new Map(uuids.map((uuid, index) => [uuid, told[index]]));
    const unwanted = told.filter((one) => 'turn' in one && one.turn.outcome === 'unwanted').length;
    if (unwanted > 0) {
      log('WARNING', 'notifier: the receiver is gone (410): set another WEBHOOK_URL, or none', { unwanted });
    }
    return messages.map(({ uuid }) => reactions.get(uuid) as TakenTurn);
  };
}

/** Maps all of them, so many at once. */
async function mapSome<From, To>(
  all: readonly From[],
  atOnceMax: number,
  map: (one: From) => Promise<To>,
): Promise<To[]> {
  const mapped: To[] = [];
  const rest = all.entries();
  const work = async () => {
    for (const [index, one] of rest) mapped[index] = await map(one);
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, all.length) }, work));
  return mapped;
}
