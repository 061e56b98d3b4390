import type { Path } from '../ports/store.ts';
import { create } from './documents.ts';
import type { Task } from './group-commit.ts';

/** Creates a document unless it is there already. The result says whether it is new. */
export const createOnce = <T extends object>(path: Path<T>, fields: T): Task<boolean> => ({
  reads: () => [path],
  decide(documents) {
    const isNew = documents.get(path) === undefined;
    return { writes: isNew ? [create(path, fields)] : [], result: isNew };
  },
});
