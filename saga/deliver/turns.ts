import { create, type Documents, update, type Write } from '../commit/documents.ts';
import { groupCommit, type Task } from '../commit/group-commit.ts';
import { notBefore, transitionTo } from '../ledger/history.ts';
import { isFailed, type Ledger, ledgerPath, leftBy } from '../ledger/ledger.ts';
import { type ReadLedger, readLedger, trusted } from '../ledger/read-ledger.ts';
import type { Bus, OutgoingMessage, PublishResult } from '../ports/bus.ts';
import type { Ports } from '../ports/ports.ts';
import { changeOf } from '../step/holds.ts';
import type { Saga } from '../step/saga.ts';
import { refusedTurn } from '../step/take-step.ts';
import type { LedgerTask, Turn } from '../step/turn.ts';
import { messageFor } from './message.ts';

/**
 * Commit, then publish: every move of a ledger goes through here, whether a message, a customer or the clock caused it.
 * What must be published is read from the committed ledger, never remembered from before.
 */

/** What came of one turn. */
export type TakenTurn =
  /** Committed. `publishError` says that what the ledger calls for may not have reached the broker. */
  | { readonly turn: Turn; readonly publishError?: Error }
  /** Not committed, or not known to be. */
  | { readonly error: unknown };

/** One for each task. */
type TakenTurns<Tasks extends readonly LedgerTask[]> = { readonly [Index in keyof Tasks]: TakenTurn };

/**
 * Takes all turns in one group commit and publishes what their ledgers then call for, as a rule one message per ledger. The party
 * that left a ledger where it stands announces it. So after a crash between commit and publish, that party publishes again
 * when its message comes back; once the ledger has moved on, no party does.
 * @returns what came of each turn, in their order. Never rejects.
 */
export async function takeTurns<const Tasks extends readonly LedgerTask[]>(
  saga: Saga,
  party: string,
  tasks: Tasks,
  ports: Ports,
): Promise<TakenTurns<Tasks>> {
  const now = ports.clock.now();
  const settled = await groupCommit(
    ports.store,
    ports,
    tasks.map((task) => transactionOf(saga, party, task, now)),
  );
  observeCommit(party, settled, ports);
  const announcements = new Map<string, readonly OutgoingMessage[]>();
  for (const result of settled) {
    // A later message of the batch may have no turn; what an earlier one committed is announced all the same.
    if (result.status === 'fulfilled' && result.value.announcements.length > 0)
      announcements.set(result.value.uuid, result.value.announcements);
  }
  const published = await announce(announcements, ports.bus);
  const taken = settled.map((result): TakenTurn => {
    if (result.status === 'rejected') return { error: result.reason };
    const { uuid, turn } = result.value;
    const publishError = published.get(uuid);
    return publishError ? { turn, publishError } : { turn };
  });
  return taken as TakenTurns<Tasks>;
}

/** What was decided on a ledger. */
interface Decided {
  readonly uuid: string;
  readonly before: Ledger | undefined;
  readonly turn: Turn;
  readonly announcements: readonly OutgoingMessage[];
}

/**
 * A turn as a transaction. Everything that can fail because a ledger was edited by hand, even making the message, is part
 * of the decision, so that only this turn fails.
 */
function transactionOf(saga: Saga, party: string, task: LedgerTask, now: Date): Task<Decided> {
  const path = ledgerPath(task.uuid);
  let last: { readonly fields: object; readonly read: ReadLedger } | undefined;
  /** The ledger is needed twice, to know what else to read and to decide; it is checked once. */
  function ledgerIn(documents: Documents): ReadLedger | undefined {
    const fields = documents.get(path);
    if (fields === undefined) return undefined;
    if (last?.fields !== fields) last = { fields, read: readLedger(saga, task.uuid, fields) };
    return last.read;
  }
  return {
    assumedAbsent: task.isNew ? [path] : [],
    reads(known) {
      if (!known.has(path)) return [path, ...(task.reads?.(undefined, known) ?? [])];
      const read = ledgerIn(known);
      // If it can't be right, the decision throws, and only this turn fails.
      return read !== undefined && 'faults' in read ? [] : (task.reads?.(read?.ledger, known) ?? []);
    },
    decide(documents) {
      const read = ledgerIn(documents);
      const ledger = read && trusted(read, task.uuid);
      const { turn, writes } = decideTurn(saga, party, task, ledger, documents, notBefore(ledger, now));
      return {
        writes: [...writes, ...ledgerWrites(ledger, turn.ledger)],
        result: { uuid: task.uuid, before: ledger, turn, announcements: announcementsOf(saga, party, turn) },
      };
    },
  };
}

/** What must be published after a turn. */
function announcementsOf(saga: Saga, party: string, { ledger, announce: again }: Turn): OutgoingMessage[] {
  if (ledger === undefined) return [];
  if (again) return saga.topicsAgain(ledger).map((topic) => messageFor(saga, ledger, topic));
  if (leftBy(ledger, party)) return [messageFor(saga, ledger)];
  // If this step crashed before it announced itself, a step beside it may already have moved the ledger on.
  const beside = saga.groups.filter((group) => group.length > 1).flat();
  const done = beside.find(({ name, leadsTo }) => name === party && transitionTo(ledger, leadsTo));
  if (done === undefined || isFailed(ledger) || saga.isOrchestrated(ledger)) return [];
  return [messageFor(saga, ledger, done.announces)];
}

/** The turn, and the writes for what the order holds. If an account has too little left, the order is refused. */
function decideTurn(
  saga: Saga,
  party: string,
  task: LedgerTask,
  before: Ledger | undefined,
  documents: Documents,
  now: Date,
): { turn: Turn; writes: readonly Write[] } {
  const turn = task.take(before, documents, now);
  if (turn.ledger === undefined) return { turn, writes: [] };
  const change = changeOf(saga, before, turn.ledger, documents);
  if ('writes' in change) return { turn, writes: [...change.writes, ...(turn.besides ?? [])] };
  const { reason, detail } = change.shortage;
  if (turn.isOptional) {
    return { turn: { outcome: 'unheeded', detail, ...(before && { ledger: before }) }, writes: [] };
  }
  const origin = turn.from ?? before;
  // What an account was given and has spent since can't be taken back: people must look at that.
  if (origin === undefined || isFailed(origin)) throw new Error(detail);
  return { turn: refusedTurn(saga, origin, { by: party, reason, detail, now }), writes: [] };
}

function ledgerWrites(before: Ledger | undefined, after: Ledger | undefined): Write[] {
  if (after === undefined || after === before) return [];
  return before === undefined
    ? [create(ledgerPath(after.uuid), after)]
    : [update(ledgerPath(after.uuid), changedFields(before, after))];
}

/** Only what changed is written: the order itself never does, and it is most of the ledger. */
function changedFields(before: Ledger, after: Ledger): Partial<Ledger> {
  const changed = Object.entries(after).filter(([field, value]) => value !== before[field as keyof Ledger]);
  return Object.fromEntries(changed);
}

function observeCommit(
  by: string,
  settled: readonly PromiseSettledResult<Decided>[],
  { observe }: Ports,
): void {
  if (observe === undefined) return;
  const ledgers = settled.flatMap((one) => {
    if (one.status === 'rejected') return [];
    const { before, turn } = one.value;
    return turn.ledger === undefined || turn.ledger === before ? [] : [{ before, after: turn.ledger }];
  });
  if (ledgers.length > 0) observe({ kind: 'commit', by, ledgers });
}

async function announce(
  messages: ReadonlyMap<string, readonly OutgoingMessage[]>,
  bus: Bus,
): Promise<Map<string, PublishResult>> {
  if (messages.size === 0) return new Map();
  const results = await bus.publish([...messages.values()].flat());
  const uuids = [...messages].flatMap(([uuid, own]) => own.map(() => uuid));
  const published = new Map<string, PublishResult>();
  for (const [index, uuid] of uuids.entries()) published.set(uuid, published.get(uuid) ?? results[index]);
  return published;
}
