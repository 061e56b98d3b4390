import { z } from 'zod';
import { itemPath, itemSchema } from '../inventory/documents.ts';
import { type User, userPath, userSchema } from '../order/documents.ts';
import { create } from '../saga/commit/documents.ts';
import { type Environment, groupCommit, type Task } from '../saga/commit/group-commit.ts';
import type { Path, Store } from '../saga/ports/store.ts';
import { nameSchema } from '../shop/order.ts';

/** What people write into a data file; what follows from it is not asked for. */
const dataSchema = z.strictObject({
  users: z.record(nameSchema, userSchema.omit({ credit_limit: true, corrections: true }).strict()),
  inventory: z.record(nameSchema, itemSchema.omit({ loaded: true, corrections: true }).strict()),
});

export type Data = z.infer<typeof dataSchema>;

/** Every top-level collection that the services write. What is below their documents goes with them. */
export const COLLECTIONS = ['sagas', 'users', 'inventory', 'payments', 'dead-letters'] as const;

/**
 * Checks what a data file says.
 * @throws Error that names every fault.
 */
export function parseData(text: string, name: string): Data {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`);
  }
  const parsed = dataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const message =
      issue.code === 'invalid_key' ? issue.issues.map((fault) => fault.message).join(', ') : issue.message;
    return `  ${issue.path.join('.')}: ${message}`;
  });
  throw new Error(`${name} is wrong:\n${faults.join('\n')}`);
}

/**
 * Loads users and stock. May run at any time and any number of times: what is there already stays as it is, so that
 * no running order loses what it changed.
 * @returns how many documents were loaded, and how many were there.
 * @throws the store's error where a document could not be written.
 */
export async function loadData(
  store: Store,
  environment: Environment,
  data: Data,
): Promise<{ loaded: number; present: number }> {
  const documents: [Path, object][] = [
    ...Object.entries(data.users).map(([user, fields]): [Path, object] => [
      userPath(user),
      withLimit(fields),
    ]),
    ...Object.entries(data.inventory).map(([item, fields]): [Path, object] => [
      itemPath(item),
      { ...fields, loaded: fields.quantity },
    ]),
  ];
  const settled = await groupCommit(store, environment, documents.map(loadTask));
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  const loaded = settled.filter((result) => result.status === 'fulfilled' && result.value).length;
  return { loaded, present: documents.length - loaded };
}

/** Beside what is left stands what there was: the audit compares both. */
const withLimit = (user: Data['users'][string]): User =>
  user.credit === undefined ? user : { ...user, credit_limit: user.credit };

function loadTask([path, fields]: [Path, object]): Task<boolean> {
  return {
    reads: () => [path],
    decide(documents) {
      const isNew = documents.get(path) === undefined;
      return { writes: isNew ? [create(path, fields)] : [], result: isNew };
    },
  };
}

/**
 * Deletes every order, customer, item, invoice and dead letter, however many there are. May run again.
 * @param onProgress is told the collection and how many documents are deleted so far.
 */
export async function resetData(
  store: Store,
  onProgress: (collection: string, deletedCount: number) => void,
) {
  for (const collection of COLLECTIONS) {
    await store.erase(collection, (deletedCount) => onProgress(collection, deletedCount));
  }
}
