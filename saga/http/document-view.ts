import { z } from 'zod';
import { nameSchema } from '../input/name.ts';
import type { DocumentKind } from '../step/document.ts';

/**
 * For each field of a document, how people see it, in this order; or false for one that stays inside, such as those for the
 * audit. The compiler complains of a field that is not named.
 */
export type Shows<T extends object> = {
  readonly [Field in keyof T]-?: z.ZodType<T[Field] | undefined> | false;
};

/** How people see the documents of a kind: the names in the path, then the fields that are shown. */
export function viewOf<T extends object>({ template }: DocumentKind<T>, shows: Shows<T>) {
  const shown: z.ZodRawShape = Object.fromEntries(
    Object.entries<z.ZodType | false>(shows).filter((one): one is [string, z.ZodType] => one[1] !== false),
  );
  const parts = [...template.matchAll(/\{(\w+)\}/g)].map(([, part = '']) => part);
  const names = z.object(
    Object.fromEntries(parts.map((part) => [part, part === 'uuid' ? z.uuid().toLowerCase() : nameSchema])),
  );
  return {
    /** The names in the path, in this order. */
    parts,
    names,
    schema: names.extend(shown),
    see(named: Readonly<Record<string, string>>, document: object): object {
      const fields = document as Readonly<Record<string, unknown>>;
      // A store may hand them out in any order.
      const seen = Object.keys(shown).filter((field) => field in fields);
      return { ...named, ...Object.fromEntries(seen.map((field) => [field, fields[field]])) };
    },
  };
}
