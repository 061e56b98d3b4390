import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { deadLetterOf, messageFor } from '../../saga/deliver/message.ts';
import { subscriptionOf, type Topology } from '../../saga/deliver/topology.ts';
import { isOverdue, redriveDueAt, redriven } from '../../saga/ledger/deadline.ts';
import { emissionFor, fail, type Saga, SHARD_COUNT } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Turn } from '../../saga/step/reaction.ts';
import { type TakenTurn, type TurnTask, takeTurns } from '../../saga/step/turns.ts';

/** What one sweep did, in numbers of orders. */
export interface SweepReport {
  /** What their ledgers call for was published again. */
  readonly redriven: number;
  /** They were over their deadline and are failing now. */
  readonly failed: number;
  /** They could not be moved on; the next sweep tries again. */
  readonly errors: number;
}

/** After so many re-drives a compensation that does not succeed is shown to people; it is tried on. */
export const REDRIVES_UNTIL_SHOWN = 5;

/**
 * Finds the ledgers whose time has come and moves them on: publishes again what they call for, or fails them where
 * they are over their deadline. Safe to run at any time and in several places at once: each ledger is decided anew
 * under its guard, and who comes second finds that its time has not come again.
 * @param topology says where a compensation comes from that is shown to people.
 * @throws StoreError where the ledgers can't be listed; what was swept until then stays so.
 */
export async function sweep(ports: Ports, topology: Topology): Promise<SweepReport> {
  let report: SweepReport = { redriven: 0, failed: 0, errors: 0 };
  for (let shard = 0; shard < SHARD_COUNT; shard++) {
    for await (const uuids of dueLedgers(shard, ports)) {
      const taken = await takeTurns('janitor', uuids.map(sweepTask), ports);
      await showPersistent(taken, topology, ports);
      for (const [index, one] of taken.entries()) logSwept(uuids[index] ?? '', one, ports);
      report = sum(report, reportOf(taken));
    }
  }
  return report;
}

/** The ledgers of a shard whose moment has come now, a batch at a time, each of them once. */
async function* dueLedgers(shard: number, { store, clock }: Ports): AsyncGenerator<readonly string[]> {
  const query = {
    collection: 'sagas',
    where: { shard },
    field: 'sweepAt',
    until: clock.now(),
    limit: BATCH_MAX,
  };
  let page = await store.due(query);
  while (page.length > 0) {
    yield page.map(({ id }) => id);
    // Those that could not be moved are still due: without the place behind them, nobody would get past them.
    const after = page.at(-1);
    page = after && page.length === BATCH_MAX ? await store.due({ ...query, after }) : [];
  }
}

/** What the sweeper makes of one ledger whose time has come. */
export function sweepTask(uuid: string): TurnTask {
  return {
    uuid,
    reads: () => [],
    take(saga, _documents, now): Turn {
      if (!saga?.sweepAt || saga.sweepAt > now) return { outcome: 'ignored', writes: [] };
      if (!isOverdue(saga, now)) return isDue(saga, now) ? redriveTurn(saga, now) : putOff(saga);
      const detail = `The order stood as ${saga.status} for more than ${saga.deadlineSeconds} s`;
      return {
        outcome: 'refused',
        writes: [],
        saga: fail(saga, 'janitor', 'DEADLINE_EXCEEDED', detail, now),
        detail: `DEADLINE_EXCEEDED: ${detail}`,
      };
    },
  };
}

/** Publishes again what a ledger calls for, because a person asks for it; also where the order rests. */
export function redriveTask(uuid: string): TurnTask {
  return {
    uuid,
    reads: () => [],
    take(saga, _documents, now): Turn {
      if (saga === undefined) return { outcome: 'ignored', writes: [] };
      // The ledger says whether it rests: one that does gets no deadline by being announced again.
      return saga.sweepAt === null
        ? { outcome: 'redriven', writes: [], saga, redrive: true }
        : redriveTurn(saga, now);
    },
  };
}

function redriveTurn(saga: Saga, now: Date): Turn {
  const after = redriven(saga, now);
  return {
    outcome: 'redriven',
    writes: [],
    saga: after,
    redrive: true,
    detail: `${emissionFor(saga)} was published again, time ${after.redrives}`,
  };
}

function isDue(saga: Saga, now: Date): boolean {
  const due = redriveDueAt(saga);
  return due !== null && due <= now;
}

/** The order has moved on since its sweep was planned: it is looked at again when its stage has taken long. */
const putOff = (saga: Saga): Turn => ({
  outcome: 'ignored',
  writes: [],
  saga: { ...saga, sweepAt: redriveDueAt(saga) },
});

/** Hands compensations that do not succeed to the dead-letter desk, which keeps each of them once. */
async function showPersistent(
  taken: readonly TakenTurn[],
  topology: Topology,
  { bus, log }: Ports,
): Promise<void> {
  const persistent = taken.flatMap((one) =>
    'turn' in one && one.turn.redrive && one.turn.saga?.status === 'FAILING' ? [one.turn.saga] : [],
  );
  const shown = persistent.filter(({ redrives = 0 }) => redrives >= REDRIVES_UNTIL_SHOWN);
  if (shown.length === 0) return;
  for (const { uuid, redrives } of shown) {
    log('ERROR', 'janitor: a compensation does not succeed', { step: 'janitor', uuid, redrives });
  }
  const subscription = subscriptionOf(topology, 'janitor', 'error');
  await bus.publish(shown.map((saga) => letterOf(saga, subscription)));
}

function letterOf(saga: Saga, subscription: string) {
  const { uuid, redrives = 0 } = saga;
  // Its id is derived, so that the desk knows it again; but not for ever, so that a letter which people have dealt with
  // is followed by another one if that did not help.
  const generation = Math.floor(Math.log2(redrives / REDRIVES_UNTIL_SHOWN));
  const delivery = {
    subscription,
    messageId: `compensation/${uuid}/${generation}`,
    attempt: redrives,
  };
  return deadLetterOf({ ...messageFor(saga), ...delivery }, 'The compensation does not succeed');
}

function logSwept(uuid: string, taken: TakenTurn, { log }: Ports): void {
  if ('error' in taken) {
    log('ERROR', 'janitor: a ledger could not be swept', {
      step: 'janitor',
      uuid,
      error: String(taken.error),
    });
    return;
  }
  const { turn, publishError } = taken;
  if (turn.outcome === 'ignored') return;
  log('WARNING', `janitor: an order stood still: ${turn.outcome}`, {
    step: 'janitor',
    outcome: turn.outcome,
    uuid,
    detail: turn.detail,
    ...(turn.saga?.trace && { traceparent: turn.saga.trace }),
    ...(publishError && { error: publishError.message }),
  });
}

function reportOf(taken: readonly TakenTurn[]): SweepReport {
  const count = (holds: (one: TakenTurn) => boolean) => taken.filter(holds).length;
  return {
    redriven: count((one) => 'turn' in one && one.turn.outcome === 'redriven'),
    failed: count((one) => 'turn' in one && one.turn.outcome === 'refused'),
    errors: count((one) => 'error' in one || one.publishError !== undefined),
  };
}

const sum = (one: SweepReport, other: SweepReport): SweepReport => ({
  redriven: one.redriven + other.redriven,
  failed: one.failed + other.failed,
  errors: one.errors + other.errors,
});
