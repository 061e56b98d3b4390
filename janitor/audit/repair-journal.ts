import { z } from 'zod';
import { create, type Documents, type Write } from '../../saga/commit/documents.ts';
import type { Task } from '../../saga/commit/group-commit.ts';
import { moment } from '../../saga/http/answers.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path } from '../../saga/ports/store.ts';
import type { LedgerTask } from '../../saga/step/turn.ts';
import type { RepairAction } from './repair.ts';

/**
 * The journal of repairs, `repairs/{id}`: what was done, who wanted it, and why. An entry is written in the commit of its repair and
 * never again, unless the customer whom it names is erased. No order holds one, so the audit does not know them.
 */
export const REPAIRS = 'repairs';

/** Who wants a repair, if the name is known, and why. */
export interface RepairWish {
  readonly person?: string | undefined;
  readonly note?: string | undefined;
}

export const repairEntrySchema = z.object({
  id: z.uuid(),
  createdAt: moment,
  kind: z.enum(['announce', 'compensate', 'restore', 'remove', 'correct']),
  /** The order. */
  uuid: z.string().exactOptional(),
  /** The record or account. */
  path: z.string().exactOptional(),
  /** Of an account: the field, and by how much it was changed. */
  correction: z.object({ field: z.string(), by: z.int() }).exactOptional(),
  person: z.string().optional(),
  note: z.string().optional(),
});
export type RepairEntry = z.infer<typeof repairEntrySchema>;

export const repairEntryPath = (id: string): Path<RepairEntry> => `${REPAIRS}/${id}`;

/** The entry of an action that is about to be tried. */
export function entryFor(
  action: RepairAction,
  { person, note }: RepairWish,
  { clock, newUuid }: Ports,
): RepairEntry {
  const { kind } = action;
  return {
    id: newUuid(),
    createdAt: clock.now(),
    kind,
    ...('uuid' in action && { uuid: action.uuid }),
    ...('path' in action && { path: action.path }),
    ...('correction' in action && {
      correction: { field: action.correction.field, by: action.correction.by },
    }),
    person,
    note,
  };
}

/**
 * A repair of a document, with its entry in the same commit. If the answer of a commit is lost, the entry says that it went
 * through.
 * @param decide what to write; nothing if the repair is needless.
 * @returns a task whose result is whether the repair was done.
 */
export function journaled(
  entry: RepairEntry,
  reads: Task<unknown>['reads'],
  decide: (documents: Documents) => readonly Write[],
): Task<boolean> {
  const path = repairEntryPath(entry.id);
  return {
    reads: (known) => [path, ...reads(known)],
    decide(documents) {
      if (documents.get(path)) return { writes: [], result: true };
      const writes = decide(documents);
      const isDone = writes.length > 0;
      return { writes: isDone ? [...writes, create(path, entry)] : [], result: isDone };
    },
  };
}

/** A repair of a ledger, with its entry in the same commit. */
export function journaledTurn(entry: RepairEntry, task: LedgerTask): LedgerTask {
  const path = repairEntryPath(entry.id);
  return {
    ...task,
    reads: (ledger, known) => [path, ...(task.reads?.(ledger, known) ?? [])],
    take(ledger, documents, now) {
      const turn = task.take(ledger, documents, now);
      return documents.get(path) ? turn : { ...turn, besides: [create(path, entry)] };
    },
  };
}
