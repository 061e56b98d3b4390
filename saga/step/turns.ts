import { create, type Documents, update, type Write } from '../commit/documents.ts';
import { groupCommit, type Task } from '../commit/group-commit.ts';
import { messageFor } from '../deliver/message.ts';
import { lastTransition } from '../ledger/history.ts';
import { leftBy, type Party, type Saga, sagaPath } from '../ledger/ledger.ts';
import type { Bus, OutgoingMessage, PublishResult } from '../ports/bus.ts';
import type { Ports } from '../ports/ports.ts';
import type { Path } from '../ports/store.ts';
import type { Turn } from './reaction.ts';

/**
 * Commit, then publish: the part that everybody who moves a ledger shares, whether a message, a customer or a clock
 * made them. What must be published is read from the committed ledger, never remembered from before.
 */

/** One turn to take: which ledger, what else to read, and what to make of it. The functions are pure. */
export interface TurnTask {
  readonly uuid: string;
  /** The uuid is freshly drawn, so that the ledger need not be read to know that there is none. */
  readonly isNew?: boolean;
  reads(saga: Saga | undefined): readonly Path[];
  take(saga: Saga | undefined, documents: Documents, now: Date): Turn;
}

/** What came of one turn. */
export type TakenTurn =
  /** Committed. `publishError` says that what the ledger calls for may not have reached the broker. */
  | { readonly turn: Turn; readonly publishError?: Error }
  /** Not committed, or not known to be. */
  | { readonly error: unknown };

/**
 * Takes all turns in one group commit and publishes what their ledgers then call for, one message per ledger.
 * A ledger is announced by the party that it was left by: whoever finds it where it stood after a crash between
 * commit and publish publishes again, and nobody does once it has moved on.
 * @returns what came of each turn, in their order. Never rejects.
 */
export async function takeTurns(
  party: Party,
  tasks: readonly TurnTask[],
  ports: Ports,
): Promise<readonly TakenTurn[]> {
  const now = ports.clock.now();
  const settled = await groupCommit(
    ports.store,
    ports,
    tasks.map((task) => transactionOf(party, task, now)),
  );
  const announcements = new Map<string, OutgoingMessage>();
  for (const [index, result] of settled.entries()) {
    const uuid = tasks[index]?.uuid;
    if (uuid !== undefined && result.status === 'fulfilled' && result.value.announcement) {
      announcements.set(uuid, result.value.announcement);
    }
  }
  const published = await announce(announcements, ports.bus);
  return settled.map((result, index): TakenTurn => {
    if (result.status === 'rejected') return { error: result.reason };
    const publishError = published.get(tasks[index]?.uuid ?? '');
    return publishError ? { turn: result.value.turn, publishError } : { turn: result.value.turn };
  });
}

/**
 * A turn as a transaction. Everything that can fail over a ledger which somebody has edited by hand, also the making
 * of the message, is part of the decision: it then fails alone.
 */
function transactionOf(
  party: Party,
  task: TurnTask,
  now: Date,
): Task<{ turn: Turn; announcement: OutgoingMessage | undefined }> {
  const path = sagaPath(task.uuid);
  return {
    assumedAbsent: task.isNew ? [path] : [],
    reads: (known) => (known.has(path) ? task.reads(known.get(path)) : [path, ...task.reads(undefined)]),
    decide(documents) {
      const saga = documents.get(path);
      const turn = task.take(saga, documents, notBefore(saga, now));
      const announcement =
        turn.saga && (turn.redrive || leftBy(turn.saga, party)) ? messageFor(turn.saga) : undefined;
      return { writes: [...turn.writes, ...ledgerWrites(saga, turn.saga)], result: { turn, announcement } };
    },
  };
}

/**
 * The moment of a turn. A worker that was held up has the moment at which its batch began, and clocks differ: without
 * this, a stage could begin, and be overdue, before the last one ended.
 */
function notBefore(saga: Saga | undefined, now: Date): Date {
  if (saga === undefined) return now;
  const { at } = lastTransition(saga);
  return at > now ? at : now;
}

function ledgerWrites(before: Saga | undefined, after: Saga | undefined): Write[] {
  if (after === undefined || after === before) return [];
  return before === undefined
    ? [create(sagaPath(after.uuid), after)]
    : [update(sagaPath(after.uuid), changedFields(before, after))];
}

/** Only what changed is written: the order itself never does, and it is most of the ledger. */
function changedFields(before: Saga, after: Saga): Partial<Saga> {
  const changed = Object.entries(after).filter(([field, value]) => value !== before[field as keyof Saga]);
  return Object.fromEntries(changed);
}

async function announce(
  messages: ReadonlyMap<string, OutgoingMessage>,
  bus: Bus,
): Promise<Map<string, PublishResult>> {
  if (messages.size === 0) return new Map();
  const results = await bus.publish([...messages.values()]);
  return new Map([...messages.keys()].map((uuid, index) => [uuid, results[index]]));
}
