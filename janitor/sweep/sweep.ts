import { z } from 'zod';
import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { deadLetterOf, messageFor } from '../../saga/deliver/message.ts';
import { subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import { type TakenTurn, takeTurns } from '../../saga/deliver/turns.ts';
import { announcedAgain, isOverdue, overdueDetail, repeatDueAt } from '../../saga/ledger/deadline.ts';
import { DEADLINE_EXCEEDED, FAILING, LEDGERS, type Ledger, SHARD_COUNT } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { refusedTurn } from '../../saga/step/take-step.ts';
import type { LedgerTask, Turn } from '../../saga/step/turn.ts';

/** What one sweep did, in numbers of orders. */
export const sweepReport = z.object({
  /** Announced again. */
  announced: z.int(),
  /** Past their deadline, and failing now. */
  failed: z.int(),
  /** Could not be moved on; the next sweep tries again. */
  errors: z.int(),
});
export type SweepReport = Readonly<z.infer<typeof sweepReport>>;

/** After this many repeats a compensation that does not succeed is shown to operators. The janitor keeps trying. */
export const REPEATS_UNTIL_SHOWN = 5;

/**
 * Finds the ledgers whose moment has come and moves them on: announces them again, or fails them if they are past their
 * deadline. Safe to run at any time and in several places at once: each ledger is read again and decided under its guard,
 * and the second of two sweeps finds that its moment has not come yet.
 * @throws StoreError if the ledgers can't be listed; what was swept before stays swept.
 */
export async function sweep(saga: Saga, ports: Ports): Promise<SweepReport> {
  const report = { announced: 0, failed: 0, errors: 0 };
  for (let shard = 0; shard < SHARD_COUNT; shard++) {
    for await (const uuids of dueLedgers(shard, ports)) {
      const tasks = uuids.map((uuid) => sweepTask(saga, uuid));
      const taken = await takeTurns(saga, 'janitor', tasks, ports);
      await showPersistent(saga, taken, ports);
      for (const [index, one] of taken.entries()) {
        logSwept(uuids[index] ?? '', one, ports);
        if ('turn' in one && one.turn.outcome === 'announced') report.announced++;
        if ('turn' in one && one.turn.outcome === 'refused') report.failed++;
        if ('error' in one || one.publishError !== undefined) report.errors++;
      }
    }
  }
  return report;
}

/** The ledgers of a shard whose moment has come, a batch at a time, each once. */
async function* dueLedgers(shard: number, { store, clock }: Ports): AsyncGenerator<readonly string[]> {
  const query = {
    collection: LEDGERS,
    where: { shard },
    field: 'sweepAt',
    until: clock.now(),
    limit: BATCH_MAX,
  };
  let page = await store.due(query);
  while (page.length > 0) {
    yield page.map(({ id }) => id);
    // Ledgers that could not be moved are still due. Continue behind them, or they would hide all others.
    const after = page.at(-1);
    page = after && page.length === BATCH_MAX ? await store.due({ ...query, after }) : [];
  }
}

/** What the sweeper does with one ledger whose moment has come. */
function sweepTask(saga: Saga, uuid: string): LedgerTask {
  return {
    uuid,
    take(ledger, _documents, now): Turn {
      if (!ledger?.sweepAt || ledger.sweepAt > now) return { outcome: 'ignored' };
      if (isOverdue(saga, ledger, now)) {
        const detail = overdueDetail(ledger);
        return refusedTurn(saga, ledger, { by: 'janitor', reason: DEADLINE_EXCEEDED, detail, now });
      }
      const due = repeatDueAt(saga, ledger);
      // The order has moved on since its sweep was planned: look again once the new stage has taken long.
      return due !== null && due <= now
        ? announceTurn(saga, ledger, now)
        : { outcome: 'ignored', ledger: { ...ledger, sweepAt: due } };
    },
  };
}

/** Announces an order again because an operator asks for it, even if the order rests. */
export function announceTask(saga: Saga, uuid: string): LedgerTask {
  return {
    uuid,
    take(ledger, _documents, now): Turn {
      if (ledger === undefined) return { outcome: 'ignored' };
      // Announcing an order at rest does not give it a deadline.
      return ledger.sweepAt === null
        ? { outcome: 'announced', ledger, announce: true }
        : announceTurn(saga, ledger, now);
    },
  };
}

function announceTurn(saga: Saga, before: Ledger, now: Date): Turn {
  const ledger = announcedAgain(saga, before, now);
  return {
    outcome: 'announced',
    ledger,
    announce: true,
    detail: `${saga.topicOf(ledger.status)} was published again, time ${ledger.repeats}`,
  };
}

/** Hands compensations that don't succeed to the dead-letter desk, which keeps each of them once. */
async function showPersistent(saga: Saga, taken: readonly TakenTurn[], { bus, log }: Ports): Promise<void> {
  const persistent = taken.flatMap((one) =>
    'turn' in one && one.turn.announce && one.turn.ledger?.status === FAILING ? [one.turn.ledger] : [],
  );
  const shown = persistent.filter(({ repeats = 0 }) => repeats >= REPEATS_UNTIL_SHOWN);
  if (shown.length === 0) return;
  for (const { uuid, repeats } of shown) {
    log('ERROR', 'janitor: a compensation does not succeed', { step: 'janitor', uuid, repeats });
  }
  const subscription = subscriptionOf(topologyOf(saga), 'janitor', saga.failure.topic);
  await bus.publish(shown.map((ledger) => letterOf(saga, ledger, subscription)));
}

function letterOf(saga: Saga, ledger: Ledger, subscription: string) {
  const { uuid, repeats = 0 } = ledger;
  // The id is derived, so that the desk recognizes the letter. But it changes from time to time, so that another letter
  // follows if the operators' decision about the first one did not help.
  const generation = Math.floor(Math.log2(repeats / REPEATS_UNTIL_SHOWN));
  const delivery = {
    subscription,
    messageId: `compensation/${uuid}/${generation}`,
    attempt: repeats,
  };
  return deadLetterOf({ ...messageFor(saga, ledger), ...delivery }, 'The compensation does not succeed');
}

function logSwept(uuid: string, taken: TakenTurn, { log, observe }: Ports): void {
  if ('error' in taken) {
    const fields = { step: 'janitor', uuid, error: String(taken.error) };
    log('ERROR', 'janitor: a ledger could not be swept', fields);
    return;
  }
  const { turn, publishError } = taken;
  if (turn.outcome === 'ignored') return;
  const { outcome } = turn;
  const trace = turn.ledger?.trace;
  const error = publishError?.message;
  const traceparent = observe?.({ kind: 'turn', by: 'janitor', outcome, uuid, trace, error }) ?? trace;
  const { detail } = turn;
  const fields = { step: 'janitor', outcome, uuid, detail, traceparent, error };
  log('WARNING', `janitor: an order stood still: ${outcome}`, fields);
}
