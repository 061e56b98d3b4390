import { createBatcher } from '../saga/batcher.ts';
import { Problem } from '../saga/http.ts';
import { receive, type Saga } from '../saga/ledger.ts';
import { type Order, sameOrder } from '../saga/order.ts';
import { type Ports, type TakenTurn, type TurnTask, takeTurns } from '../saga/turns.ts';

/** Takes orders in: all that arrive while one commit is under way share the next one. */
export interface OrderDesk {
  /**
   * Stores the order's ledger, then publishes it. A second call with the same uuid finds the first one's ledger, and
   * publishes again only where that still stands at the beginning.
   * @param isNew the uuid is freshly drawn; otherwise an order may already have it.
   * @returns the ledger: from here on the order can't be lost, even if the broker could not be reached.
   * @throws Problem 422 where another order has the uuid, 503 where the order could not be stored or there are too many.
   */
  accept(uuid: string, order: Order, isNew: boolean): Promise<Saga>;
  /** Finishes the commit under way, and refuses what waits for the next one. */
  drain(): Promise<void>;
}

interface Waiting {
  readonly task: TurnTask;
  readonly order: Order;
  resolve(saga: Saga): void;
  reject(error: unknown): void;
}

const BATCH_MAX = 240;
const WAITING_MAX = 10_000;

export function createOrderDesk(ports: Ports): OrderDesk {
  const batcher = createBatcher<Waiting>({ run: acceptAll, batchMax: BATCH_MAX, queueMax: WAITING_MAX });

  async function acceptAll(batch: readonly Waiting[]): Promise<void> {
    const taken = await takeTurns(
      'frontend',
      batch.map(({ task }) => task),
      ports,
    );
    for (const [index, waiting] of batch.entries()) settle(waiting, taken[index], ports);
  }

  return {
    accept: (uuid, order, isNew) =>
      new Promise((resolve, reject) => {
        const task = receiveTask(uuid, order, isNew);
        if (!batcher.add({ task, order, resolve, reject }))
          reject(unavailable('Too many orders are waiting'));
      }),
    async drain() {
      for (const { reject } of batcher.stop()) reject(unavailable('The service is shutting down'));
      await batcher.done();
    },
  };
}

/** The customer's turn: a new ledger, or the one that is there. */
function receiveTask(uuid: string, order: Order, isNew: boolean): TurnTask {
  return {
    uuid,
    isNew,
    reads: () => [],
    take: (saga, _documents, now) =>
      saga === undefined
        ? { outcome: 'accepted', writes: [], saga: receive(uuid, order, 'frontend', now) }
        : { outcome: 'duplicate', writes: [], saga },
  };
}

function settle({ order, resolve, reject }: Waiting, taken: TakenTurn | undefined, { log }: Ports): void {
  if (taken === undefined || 'error' in taken) {
    log('ERROR', 'frontend: an order could not be stored', { error: String(taken?.error) });
    reject(unavailable('The order could not be stored'));
    return;
  }
  const saga = taken.turn.saga as Saga;
  if (!sameOrder(saga, order)) {
    reject(
      new Problem(
        422,
        'Idempotency key reused',
        'This Idempotency-Key was used for another order: take a new one',
      ),
    );
    return;
  }
  if (taken.publishError) {
    // The ledger is stored, so the order is accepted; whoever meets it standing still publishes it again.
    log('WARNING', 'frontend: an order was stored but not yet published', {
      uuid: saga.uuid,
      error: taken.publishError.message,
    });
  }
  resolve(saga);
}

const unavailable = (detail: string): Problem =>
  new Problem(503, 'Unavailable', `${detail}; nothing was accepted, try again`, {
    headers: { 'Retry-After': '1' },
  });
