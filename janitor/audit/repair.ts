import { create, type Documents, remove, update, type Write } from '../../saga/commit/documents.ts';
import { groupCommit, type Task } from '../../saga/commit/group-commit.ts';
import { emissionFor, sagaPath } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path } from '../../saga/ports/store.ts';
import { type TakenTurn, type TurnTask, takeTurns } from '../../saga/step/turns.ts';
import { compensate } from '../compensate.ts';
import { redriveTask } from '../sweep/sweep.ts';
import type { AuditReport, Correction, StuckOrder, Violation } from './audit-report.ts';
import { checkLedger } from './check-ledger.ts';
import { expectedRecords } from './expected-records.ts';

/**
 * The repair: does what follows from the ledgers alone, and leaves everything else to people. Each action is decided
 * anew on what there is when it is carried out, under its guards: it may run on live data, twice, and in two places
 * at once.
 */

interface Described {
  /** What is done, and what comes of it, for people. */
  readonly sentence: string;
  readonly effect: string;
}

export type RepairAction = Described &
  (
    | { readonly kind: 'republish' | 'compensate'; readonly uuid: string }
    /** Makes the record that the ledger says is there. Removes the record of an order that is canceled. */
    | { readonly kind: 'restore' | 'remove'; readonly uuid: string; readonly path: Path }
    | { readonly kind: 'correct'; readonly path: Path; readonly correction: Correction }
  );

export interface RepairPlan {
  readonly actions: readonly RepairAction[];
  /** What no program can decide, as sentences. */
  readonly forPeople: readonly string[];
}

/** What came of an action: `needless` where things have changed since the audit, or another repair was faster. */
export interface RepairResult {
  readonly action: RepairAction;
  readonly outcome: 'done' | 'needless' | 'failed';
  readonly detail?: string;
}

/** What there is to do about a report. Pure. */
export function planRepair({ violations, stuck }: AuditReport): RepairPlan {
  const actions = new Map<string, RepairAction>();
  const forPeople: string[] = [];
  for (const violation of violations) {
    const action = actionFor(violation);
    if (action !== undefined) actions.set(keyOf(action), action);
    else forPeople.push(violation.inDoubt ? `${violation.sentence}; ${IN_DOUBT}` : violation.sentence);
  }
  for (const order of stuck) {
    const action = actionForStuck(order);
    actions.set(keyOf(action), action);
  }
  return { actions: [...actions.values()], forPeople };
}

const IN_DOUBT = 'it is looked at again once nothing else is wrong with what is held';

/** Two violations of one order may ask for the same action. */
export const keyOf = (action: RepairAction): string =>
  `${action.kind} ${'path' in action ? action.path : action.uuid}`;

function actionFor({ kind, path, uuid, status, correction }: Violation): RepairAction | undefined {
  if (kind === 'total' && correction) return correct(path, correction);
  if (uuid === undefined || status === undefined) return undefined;
  // Whatever is wrong with its records: the compensation goes by the ledger, and purges them.
  if (status === 'FAILING') return complete(uuid);
  if (kind === 'stray-record' && status === 'CANCELED') {
    return {
      kind: 'remove',
      uuid,
      path,
      sentence: `Remove ${path}`,
      effect: `the canceled order ${uuid} holds nothing any more`,
    };
  }
  if (kind === 'missing-record') {
    return {
      kind: 'restore',
      uuid,
      path,
      sentence: `Restore ${path}`,
      effect: `order ${uuid} has again what its ledger says`,
    };
  }
  return undefined;
}

const correct = (path: Path, correction: Correction): RepairAction => ({
  kind: 'correct',
  path,
  correction,
  sentence: `Correct ${correction.field} of ${path} by ${correction.by > 0 ? '+' : ''}${correction.by}`,
  effect: 'what is left and what orders hold add up again',
});

const complete = (uuid: string): RepairAction => ({
  kind: 'compensate',
  uuid,
  sentence: `Complete the compensation of order ${uuid}`,
  effect: 'what it took is given back, and it is canceled',
});

function actionForStuck({ uuid, status }: StuckOrder): RepairAction {
  if (status === 'FAILING') return complete(uuid);
  return {
    kind: 'republish',
    uuid,
    sentence: `Publish the message of order ${uuid} to ${emissionFor({ status })} again`,
    effect: 'it goes on, or is canceled where it is too late',
  };
}

/** Carries out actions. @returns what came of each, in their order. Never rejects. */
export async function executeRepair(
  actions: readonly RepairAction[],
  ports: Ports,
): Promise<readonly RepairResult[]> {
  const onRecords = actions.filter(isOnRecord);
  const onLedgers = actions.filter((action): action is OnLedger => !isOnRecord(action));
  // Records first: an order that goes on may be looked at by its customer at once.
  const settled = await groupCommit(ports.store, ports, onRecords.map(recordTask));
  const taken = await takeTurns('janitor', onLedgers.map(turnTask), ports);
  const results = new Map<RepairAction, RepairResult>([
    ...onRecords.map((action, index) => [action, resultOfTask(action, settled[index])] as const),
    ...onLedgers.map((action, index) => [action, resultOfTurn(action, taken[index])] as const),
  ]);
  return actions.map((action) => results.get(action) ?? failed(action, 'It was not tried'));
}

type OnRecord = Extract<RepairAction, { path: Path }>;
type OnLedger = Exclude<RepairAction, OnRecord>;
const isOnRecord = (action: RepairAction): action is OnRecord => 'path' in action;

function turnTask({ kind, uuid }: OnLedger): TurnTask {
  if (kind === 'republish') return redriveTask(uuid);
  return {
    uuid,
    reads: (saga) => (saga ? compensate.reads(saga, { uuid }) : []),
    // A ledger that is gone is not fenced by a new one: nobody has sent an error.
    take: (saga, documents, now) =>
      saga?.status === 'FAILING'
        ? compensate.react(saga, { uuid }, documents, now)
        : { outcome: 'ignored', writes: [] },
  };
}

/** Its result tells whether there was anything to do. */
function recordTask(action: OnRecord): Task<boolean> {
  switch (action.kind) {
    case 'restore':
      return onLedgerOf(action, (documents) => restored(action, documents));
    case 'remove':
      return onLedgerOf(action, (documents) =>
        // Nothing leaves CANCELED, so the ledger needs no guard.
        documents.get(sagaPath(action.uuid))?.status === 'CANCELED' && documents.get(action.path)
          ? [remove(action.path)]
          : [],
      );
    case 'correct':
      return {
        reads: () => [action.path],
        decide: (documents) => resultOf(corrected(action, documents)),
      };
  }
}

function onLedgerOf(
  { uuid, path }: { uuid: string; path: Path },
  decide: (documents: Documents) => readonly Write[],
): Task<boolean> {
  return {
    reads: () => [sagaPath(uuid), path],
    decide: (documents) => resultOf(decide(documents)),
  };
}

const resultOf = (writes: readonly Write[]) => ({ writes, result: writes.length > 0 });

function restored({ uuid, path }: { uuid: string; path: Path }, documents: Documents): Write[] {
  const checked = checkLedger(uuid, documents.get(sagaPath(uuid)) ?? {});
  if (!('saga' in checked) || checked.saga.status === 'FAILING' || documents.get(path)) return [];
  const { saga } = checked;
  const expected = expectedRecords(saga).find((record) => record.path === path);
  if (expected === undefined) return [];
  // The ledger is written as it is, so that its version guards it: the order must not fail at the same moment.
  return [create(path, expected.fields), update(sagaPath(uuid), { status: saga.status })];
}

/** As a difference: what orders take and give back meanwhile stays. */
function corrected(
  { path, correction }: { path: Path; correction: Correction },
  documents: Documents,
): Write[] {
  const { field, by, corrections } = correction;
  const fields = documents.get(path) as Record<string, unknown> | undefined;
  const left = fields?.[field];
  if ((fields?.corrections ?? 0) !== corrections || typeof left !== 'number') return [];
  if (left + by < 0) throw new Error(`Of ${path}, ${left} are left: ${-by} can't be taken off now`);
  return [{ kind: 'update', path, fields: { [field]: left + by, corrections: corrections + 1 } }];
}

function resultOfTask(
  action: RepairAction,
  settled: PromiseSettledResult<boolean> | undefined,
): RepairResult {
  if (settled?.status === 'fulfilled') return { action, outcome: settled.value ? 'done' : 'needless' };
  return failed(action, settled?.reason);
}

function resultOfTurn(action: RepairAction, taken: TakenTurn | undefined): RepairResult {
  if (taken === undefined || 'error' in taken) return failed(action, taken?.error);
  if (taken.publishError) return failed(action, taken.publishError);
  return { action, outcome: taken.turn.outcome === 'ignored' ? 'needless' : 'done' };
}

const failed = (action: RepairAction, reason: unknown): RepairResult => ({
  action,
  outcome: 'failed',
  detail: reason instanceof Error ? reason.message : String(reason),
});
