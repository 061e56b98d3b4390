import { z } from 'zod';
import type { Path } from '../ports/store.ts';
import type { Documents } from './documents.ts';

/**
 * Reads a document that people edit, such as stock or a customer, and checks that it is what its type says: a
 * quantity typed in as text must stop the order, not turn the stock into nonsense.
 * @returns the document, or undefined where there is none.
 * @throws Error that names the document and its faults.
 */
export function readShared<T extends object>(
  documents: Documents,
  path: Path<T>,
  schema: z.ZodType<T>,
): T | undefined {
  const fields = documents.get(path);
  if (fields === undefined) return undefined;
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw new Error(`The document ${path} is malformed: ${z.prettifyError(parsed.error)}`);
}
