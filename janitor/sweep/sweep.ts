import { z } from 'zod';
import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { deadLetterOf, messageFor } from '../../saga/deliver/message.ts';
import { subscriptionFor, topologyOf } from '../../saga/deliver/topology.ts';
import { type TakenTurn, takeTurns } from '../../saga/deliver/turns.ts';
import { announcedAgain, isOverdue, isWaiting, repeatDueAt } from '../../saga/ledger/deadline.ts';
import { FAILING, LEDGERS, type Ledger, SHARD_COUNT } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { overdueTurn } from '../../saga/step/hear-word.ts';
import type { Saga } from '../../saga/step/saga.ts';
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
      if (isOverdue(saga, ledger, now)) return overdueTurn(saga, ledger, 'janitor', now);
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
      // An order at rest gets no deadline by that, and nothing follows a wait however often it is announced.
      return ledger.sweepAt === null || isWaiting(saga, ledger)
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
    detail: `${saga.topicsAgain(ledger).join(' and ')} was published again, time ${ledger.repeats}`,
  };
}

/** Hands compensations that don't succeed to the dead-letter desk, which keeps each of them once. */
async function showPersistent(saga: Saga, taken: readonly TakenTurn[], { bus, log }: Ports): Promise<void> {
  const announced = taken.flatMap((one) =>
    'turn' in one && one.turn.announce && one.turn.ledger ? [one.turn.ledger] : [],
  );
  const letters = announced.flatMap((ledger) => {
    const what = whatLasts(saga, ledger);
    if (what === undefined) return [];
    const { uuid, repeats } = ledger;
    log('ERROR', what.line, { step: 'janitor', uuid, repeats });
    return [letterOf(saga, ledger, what)];
  });
  if (letters.length > 0) await bus.publish(letters);
}

/** What only people can end: a compensation that does not succeed, or a wait whose time is over. */
interface Lasting {
  readonly kind: 'compensation' | 'wait';
  /** For the log, and for the desk. */
  readonly line: string;
  readonly reason: string;
  /** From which repeat on people are shown it. */
  readonly shownAt: number;
}

const COMPENSATION: Lasting = {
  kind: 'compensation',
  line: 'janitor: a compensation does not succeed',
  reason: 'The compensation does not succeed',
  shownAt: REPEATS_UNTIL_SHOWN,
};
const WAIT: Lasting = {
  kind: 'wait',
  line: 'janitor: an order waits, and its time is over',
  reason: 'No word has come in time',
  shownAt: 1,
};

function whatLasts(saga: Saga, { status, repeats = 0 }: Ledger): Lasting | undefined {
  const what = status === FAILING ? COMPENSATION : isWaiting(saga, { status }) ? WAIT : undefined;
  return what && repeats >= what.shownAt ? what : undefined;
}

function letterOf(saga: Saga, ledger: Ledger, { kind, reason, shownAt }: Lasting) {
  const { uuid, repeats = 0 } = ledger;
  // The id is derived, so that the desk recognizes the letter. But it changes from time to time, so that another letter
  // follows if the operators' decision about the first one did not help.
  const generation = Math.floor(Math.log2(repeats / shownAt));
  const message = messageFor(saga, ledger);
  const delivery = {
    subscription: subscriptionFor(topologyOf(saga), message.topic),
    messageId: `${kind}/${uuid}/${generation}`,
    attempt: repeats,
  };
  return deadLetterOf({ ...message, ...delivery }, reason);
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
