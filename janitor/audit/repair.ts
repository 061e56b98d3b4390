import { isDeepStrictEqual } from 'node:util';
import { validate as isUuid } from 'uuid';
import { create, type Documents, remove, update, type Write } from '../../saga/commit/documents.ts';
import { groupCommit } from '../../saga/commit/group-commit.ts';
import { type TakenTurn, takeTurns } from '../../saga/deliver/turns.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { CANCELED, FAILING, type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import { readLedger } from '../../saga/ledger/read-ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path } from '../../saga/ports/store.ts';
import { compensationTask } from '../../saga/step/compensate.ts';
import type { HeldRecord } from '../../saga/step/document.ts';
import { holdsOf, recordsIn } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { LedgerTask } from '../../saga/step/turn.ts';
import { announceTask } from '../sweep/sweep.ts';
import type { AuditReport, StuckOrder, Violation } from './audit-report.ts';
import { entryFor, journaled, journaledTurn, type RepairWish } from './repair-journal.ts';

/**
 * The repair: does what follows from the ledgers alone, and leaves everything else to people. Each action is decided again
 * when it is carried out, on what there is then and under guards. So it may run on live data, twice, and in two places at
 * once.
 */

type OnLedger = { readonly kind: 'announce' | 'compensate'; readonly uuid: string };
/** Writes a record that the ledger says exists; removes a record of an order that is canceled. */
type OnRecord = { readonly kind: 'restore' | 'remove'; readonly uuid: string; readonly path: Path };
type OnAccount = { readonly kind: 'correct'; readonly path: Path; readonly correction: Correction };
/** What is done, and its effect, for people. */
type Described = { readonly sentence: string; readonly effect: string };
export type RepairAction = Described & (OnLedger | OnRecord | OnAccount);

export interface RepairPlan {
  readonly actions: readonly RepairAction[];
  /** What no program can decide, and what to do about it. */
  readonly forPeople: readonly { readonly sentence: string; readonly advice: string }[];
}

type Correction = NonNullable<Violation['correction']>;

/** The result of an action: `needless` if things have changed since the audit, or another repair was faster. */
export interface RepairResult {
  readonly action: RepairAction;
  readonly outcome: 'done' | 'needless' | 'failed';
  readonly detail?: string;
}

/** What to do about a report. Pure. */
export function planRepair({ violations, stuck }: AuditReport): RepairPlan {
  const actions = new Map<string, RepairAction>();
  const forPeople: RepairPlan['forPeople'][number][] = [];
  // Orders whose records contradict their ledger: no program can tell which of the two is right.
  const contradicted = new Set(violations.filter(contradicts).map(({ uuid }) => uuid));
  for (const violation of violations) {
    // What leaves it in doubt is a violation itself.
    if (violation.inDoubtUntil !== undefined) continue;
    const action = contradicted.has(violation.uuid) ? undefined : actionFor(violation);
    if (action !== undefined) actions.set(keyOf(action), action);
    else forPeople.push({ sentence: violation.sentence, advice: adviceFor(violation) });
  }
  for (const order of stuck) {
    if (contradicted.has(order.uuid)) continue;
    const { sentence, uuid } = order;
    const action = actionForStuck(order);
    if (action !== undefined) actions.set(keyOf(action), action);
    else
      forPeople.push({
        sentence,
        advice: `ask whoever owes the word, and say it, or cancel the order${showing(uuid)}`,
      });
  }
  return { actions: [...actions.values()], forPeople };
}

const contradicts = ({ kind, status }: Violation): boolean =>
  kind === 'wrong-record' || (kind === 'stray-record' && status !== CANCELED);

/** What a person does about what no program can decide. docs/operations/doctor.md explains it. */
function adviceFor({ kind, path, uuid, status }: Violation): string {
  switch (kind) {
    case 'ledger':
      return `see what its history and its records say${showing(path.split('/').at(-1))}, and mend the ledger accordingly`;
    case 'document':
      return 'mend the fields that are named';
    case 'missing-account':
      return 'load it again with what there was in all (npm run data-init -- FILE.json); the doctor then takes off what orders hold';
    case 'total':
      return 'raise the whole to what there really was, or cancel orders that hold of it';
    case 'missing-record':
    case 'wrong-record':
    case 'stray-record':
      return status === undefined
        ? 'restore the ledger from a backup; if there never was such an order, delete the record'
        : `find out which is right, the ledger or its records (npm run saga -- show ${uuid}), and mend the other`;
  }
}

/** The command that shows an order; nothing if its ledger has a name that no order has. */
const showing = (uuid = ''): string => (isUuid(uuid) ? ` (npm run saga -- show ${uuid})` : '');

/** Two violations of one order may ask for the same action. */
export const keyOf = (action: RepairAction): string =>
  `${action.kind} ${'path' in action ? action.path : action.uuid}`;

function actionFor({ kind, path, uuid, status, correction }: Violation): RepairAction | undefined {
  if (correction) return correct(path, correction);
  if (uuid === undefined) return undefined;
  // The compensation goes by the ledger, and purges what is left of its records.
  if (status === FAILING) return complete(uuid);
  if (kind === 'stray-record' && status === CANCELED) {
    const effect = `the canceled order ${uuid} holds nothing any more`;
    return { kind: 'remove', uuid, path, sentence: `Remove ${path}`, effect };
  }
  if (kind === 'missing-record') {
    const effect = `order ${uuid} has again what its ledger says`;
    return { kind: 'restore', uuid, path, sentence: `Restore ${path}`, effect };
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

function actionForStuck({ uuid, status, missing }: StuckOrder): RepairAction | undefined {
  if (status === FAILING) return complete(uuid);
  if (missing === undefined) return undefined;
  return {
    kind: 'announce',
    uuid,
    sentence: `Publish the message of order ${uuid} to ${missing.topic} again`,
    effect: 'it goes on, or is canceled where it is too late',
  };
}

/**
 * Carries out actions, those on records and accounts first; what is done is in the journal of repairs from the same commit on.
 * @param wish the operator who wants it, and why, for the journal.
 * @returns the result of each. Never rejects.
 */
export async function executeRepair(
  saga: Saga,
  actions: readonly RepairAction[],
  ports: Ports,
  wish: RepairWish = {},
): Promise<readonly RepairResult[]> {
  const onDocuments = actions.filter(isOnDocument);
  const onLedgers = actions.filter(isOnLedger);
  // Records first: once an order goes on, its customer may look at it at once.
  const tasks = onDocuments.map((action) => {
    const { reads, decide } = documentRepair(saga, action);
    return journaled(entryFor(action, wish, ports), reads, decide);
  });
  const settled = await groupCommit(ports.store, ports, tasks);
  const announcing = onLedgers.map((action) => {
    const task = announceTask(saga, action.uuid);
    return journaledTurn(entryFor(action, wish, ports), action.kind === 'announce' ? task : ifFailing(task));
  });
  const announced = await takeTurns(saga, 'janitor', announcing, ports);
  const failing = onLedgers.flatMap(({ kind }, index) => ledgerToCancel(kind, announced[index]));
  const canceled = await compensate(saga, failing, ports);
  return [
    ...onDocuments.map((action, index) => resultOfTask(action, settled[index])),
    ...onLedgers.map((action, index) => resultOfTurn(action, canceled.get(action.uuid) ?? announced[index])),
  ];
}

const isOnDocument = (action: RepairAction): action is Described & (OnRecord | OnAccount) => 'path' in action;
const isOnLedger = (action: RepairAction): action is Described & OnLedger => !('path' in action);

/** Takes the turn if the order is failing. A missing ledger gets no tombstone: no failure of that order was reported. */
const ifFailing = (task: LedgerTask): LedgerTask => ({
  ...task,
  take: (ledger, documents, now) =>
    ledger?.status === FAILING ? task.take(ledger, documents, now) : { outcome: 'ignored' },
});

/** An order is compensated only once its failure was announced: see below. */
const ledgerToCancel = (kind: OnLedger['kind'], announced: TakenTurn | undefined): readonly Ledger[] =>
  kind === 'compensate' && announced && 'turn' in announced && !announced.publishError
    ? [announced.turn.ledger ?? []].flat()
    : [];

/**
 * Compensates in the name of the service that reads the failure which was just announced. If this program dies before the end is
 * announced, or the broker is away by then, that service finds an order that it canceled itself, and announces it. Nothing else
 * would: an order at rest is not swept.
 * @returns what came of each order, by its uuid.
 */
async function compensate(
  saga: Saga,
  ledgers: readonly Ledger[],
  ports: Ports,
): Promise<ReadonlyMap<string, TakenTurn>> {
  const orchestrator = saga.services.find(({ reads }) => reads(saga).includes(saga.workflow?.topic ?? ''));
  const partyOf = (ledger: Ledger) => (saga.isOrchestrated(ledger) && orchestrator?.name) || 'janitor';
  const taken = new Map<string, TakenTurn>();
  for (const party of new Set(ledgers.map(partyOf))) {
    const uuids = ledgers.filter((one) => partyOf(one) === party).map(({ uuid }) => uuid);
    const tasks = uuids.map((uuid) => ifFailing(compensationTask(saga, { uuid }, party, DEADLINE_SECONDS)));
    for (const [index, one] of (await takeTurns(saga, party, tasks, ports)).entries())
      taken.set(uuids[index] ?? '', one);
  }
  return taken;
}

interface DocumentRepair {
  readonly reads: (known: Documents) => readonly Path[];
  /** What to write; nothing if there is nothing to do any more. */
  readonly decide: (documents: Documents) => readonly Write[];
}

function documentRepair(saga: Saga, action: OnRecord | OnAccount): DocumentRepair {
  if (action.kind === 'correct')
    return { reads: () => [action.path], decide: (documents) => corrected(saga, action, documents) };
  const { kind, uuid, path } = action;
  const own = ledgerPath(uuid);
  const decide = kind === 'restore' ? restored : removed;
  return {
    reads: (known) => [
      own,
      path,
      ...(known.has(own) ? recordsHeld(saga, uuid, known).map((one) => one.path) : []),
    ],
    decide: (documents) => decide(saga, action, documents),
  };
}

/** The records of an order according to its ledger; none if that can't be right. */
function recordsHeld(saga: Saga, uuid: string, documents: Documents): readonly HeldRecord[] {
  const read = readLedger(saga, uuid, documents.get(ledgerPath(uuid)) ?? {});
  if ('faults' in read) return [];
  return recordsIn(holdsOf(saga, read.ledger));
}

/** The order's other records must agree with its ledger; otherwise the ledger may be what is wrong. */
function restored(saga: Saga, { uuid, path }: OnRecord, documents: Documents): Write[] {
  const ledger = documents.get(ledgerPath(uuid));
  if (ledger === undefined || ledger.status === FAILING || documents.get(path)) return [];
  const held = recordsHeld(saga, uuid, documents);
  const contradicted = held.some((one) => {
    const there = documents.get(one.path);
    return there !== undefined && !isDeepStrictEqual(there, one.fields);
  });
  const missing = held.find((one) => one.path === path);
  if (missing === undefined || contradicted) return [];
  // The ledger is written unchanged, so that its version is a guard: the order must not fail at the same moment.
  return [create(path, missing.fields), update(ledgerPath(uuid), { status: ledger.status })];
}

/** Nothing leaves CANCELED, so the ledger needs no guard. */
function removed(saga: Saga, { uuid, path }: OnRecord, documents: Documents): Write[] {
  const read = readLedger(saga, uuid, documents.get(ledgerPath(uuid)) ?? {});
  const isOver = 'ledger' in read && read.ledger.status === CANCELED;
  return isOver && documents.get(path) ? [remove(path)] : [];
}

/** As a difference: what orders take and give back meanwhile stays. */
function corrected(saga: Saga, { path, correction }: OnAccount, documents: Documents): Write[] {
  const { field, by, corrections } = correction;
  const fields = documents.get(path) as Readonly<Record<string, unknown>> | undefined;
  if ((fields?.corrections ?? 0) !== corrections) return [];
  const account = saga.accounts.find((one) => one.balance === field && one.namesIn(path));
  // A missing counter has counted nothing. What was left in any other missing account is unknown.
  const isCounter = account !== undefined && account.whole === undefined;
  const left = fields === undefined && isCounter ? 0 : fields?.[field];
  if (typeof left !== 'number') return [];
  if (left + by < 0) throw new Error(`Of ${path}, ${left} are left: ${-by} can't be taken off now`);
  const changed = { [field]: left + by, corrections: corrections + 1 };
  return [fields === undefined ? create(path, changed) : { kind: 'update', path, fields: changed }];
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
