import { createBatcher } from '../saga/commit/batcher.ts';
import { BATCH_MAX } from '../saga/commit/group-commit.ts';
import { type TakenTurn, takeTurns } from '../saga/deliver/turns.ts';
import { ANSWER_TIMEOUT_MS } from '../saga/http/answer-in-time.ts';
import { Problem, unavailable } from '../saga/http/http.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { StoreError } from '../saga/ports/store.ts';
import { receiveTask } from '../saga/step/receive.ts';
import type { Saga } from '../saga/step/saga.ts';
import type { Order, ShopLedger } from '../shop/order.ts';
import { watchBroker } from './broker-watch.ts';

/** Takes orders in. All orders that arrive while one commit is under way share the next one. */
export interface OrderIntake {
  /**
   * Stores the order's ledger, then publishes it. A second call with the same uuid finds the first one's ledger, and
   * publishes again only if that still stands at the beginning.
   * @param isNew whether the uuid was just drawn. Otherwise an order may already have it.
   * @param trace the W3C traceparent of the request.
   * @returns the ledger: from here on the order can't be lost, even if the broker could not be reached.
   * @throws Problem 422 if another order has the uuid; 503 if the order was not accepted (also while the broker is known to
   * be away), or if it is unknown whether it was: the problem says which.
   */
  accept(uuid: string, order: Order, isNew: boolean, trace?: string): Promise<ShopLedger>;
  /** Finishes the commit under way, and refuses what waits for the next one. */
  drain(): Promise<void>;
}

interface Waiting {
  readonly uuid: string;
  readonly order: Order;
  readonly isNew: boolean;
  readonly trace: string | undefined;
  /** Whether the order's commit may have begun. */
  started: boolean;
  /** Whether its customer has been answered. */
  answered: boolean;
  resolve(ledger: ShopLedger): void;
  reject(problem: Problem): void;
}

const WAITING_MAX = 10_000;
const BATCH_BYTES_MAX = 1024 * 1024;
/** The most memory, roughly, for orders that wait. */
const QUEUE_BYTES_MAX = 128 * 1024 * 1024;
/** The most memory, roughly, that one line of an order takes. */
const LINE_BYTES = 600;

export function createOrderIntake(saga: Saga, ports: Ports, deadlineSeconds: number): OrderIntake {
  let isDraining = false;
  const broker = watchBroker(saga.entry.topic, ports);
  const batcher = createBatcher<Waiting>({
    run: acceptAll,
    batchMax: BATCH_MAX,
    queueMax: WAITING_MAX,
    weightOf: ({ order }) => order.items.length * LINE_BYTES + (order.paymentError?.length ?? 0),
    weightMax: BATCH_BYTES_MAX,
    queueWeightMax: QUEUE_BYTES_MAX,
  });

  async function acceptAll(batch: readonly Waiting[]): Promise<void> {
    // Skip customers who were already told "not accepted": they may have ordered elsewhere.
    const wanted = batch.filter(({ answered }) => !answered);
    for (const waiting of wanted) waiting.started = true;
    const taken = await takeTurns(
      saga,
      'frontend',
      wanted.map((waiting) => receiveTask(saga, { ...waiting, by: 'frontend', deadlineSeconds })),
      ports,
    );
    if (taken.some((one) => 'turn' in one && one.publishError)) broker.failed();
    for (const [index, waiting] of wanted.entries()) settle(waiting, taken[index], ports);
  }

  function enqueue(
    uuid: string,
    order: Order,
    isNew: boolean,
    trace: string | undefined,
  ): Promise<ShopLedger> {
    return new Promise<ShopLedger>((resolve, reject) => {
      const cancelTimeout = ports.clock.after(ANSWER_TIMEOUT_MS, () =>
        waiting.reject(waiting.started ? unknown(uuid, isNew) : refused('The store did not answer in time')),
      );
      const answer =
        <A>(settle: (answer: A) => void) =>
        (value: A) => {
          if (waiting.answered) return;
          waiting.answered = true;
          cancelTimeout();
          settle(value);
        };
      const waiting: Waiting = {
        uuid,
        order,
        isNew,
        trace,
        started: false,
        answered: false,
        resolve: answer(resolve),
        reject: answer(reject),
      };
      if (!batcher.add(waiting))
        waiting.reject(refused(isDraining ? SHUTTING_DOWN : 'Too many orders are waiting'));
    });
  }

  return {
    async accept(uuid, order, isNew, trace) {
      if (!(await broker.isThere())) throw refused('The broker does not answer');
      return enqueue(uuid, order, isNew, trace);
    },
    async drain() {
      isDraining = true;
      for (const { reject } of batcher.stop()) reject(refused(SHUTTING_DOWN));
      await batcher.done();
    },
  };
}

function settle(
  { uuid, isNew, trace, resolve, reject }: Waiting,
  taken: TakenTurn | undefined,
  { log }: Ports,
): void {
  if (taken === undefined || 'error' in taken) {
    const error = taken?.error;
    log('ERROR', 'frontend: an order may not have been stored', {
      uuid,
      error: String(error),
      ...(trace && { traceparent: trace }),
    });
    const isKnown = !(error instanceof StoreError) || error.kind === 'rejected';
    reject(isKnown ? refused('The order could not be stored') : unknown(uuid, isNew));
    return;
  }
  const { turn, publishError } = taken;
  if (turn.outcome === 'refused') {
    const wasOvertaken = (turn.ledger as ShopLedger).user === undefined;
    const detail = wasOvertaken
      ? 'The order with this Idempotency-Key was canceled before it came: take a new one to order again'
      : 'Another order has this Idempotency-Key: take a new one';
    reject(new Problem(422, 'Idempotency key reused', detail));
    return;
  }
  if (publishError) {
    // The ledger is stored, so the order is accepted. The sweeper publishes it.
    log('WARNING', 'frontend: an order was stored but not yet published', {
      uuid,
      error: publishError.message,
      ...(trace && { traceparent: trace }),
    });
  }
  resolve(turn.ledger as ShopLedger);
}

const SHUTTING_DOWN = 'The service is shutting down';

const refused = (why: string): Problem => unavailable(`${why}; the order was not accepted, try again`);

/** A commit whose answer was lost may have gone through. Without a key, a repetition would be another order. */
const unknown = (uuid: string, hasNoKey: boolean): Problem =>
  unavailable(
    `Whether the order was stored is not known: look at /order/${uuid} ` +
      (hasNoKey ? 'before you order again' : 'or send it again with the same Idempotency-Key'),
    { Location: `/order/${uuid}` },
  );
