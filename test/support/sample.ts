import type { z } from 'zod';

/** Numbers first, because they are what a spec counts with. */
const SCALARS: readonly unknown[] = [5, 1, 0, 'sample', new Date('2026-01-02T03:04:05.678Z'), true, null];

/**
 * A value that fits a schema, always the same one: every whole number is 5 where it may be, and what may be absent is.
 * @throws Error if nothing is found that fits.
 */
export function sampleOf(schema: z.core.$ZodType): unknown {
  const found = candidatesFor(schema).find((candidate) => (schema as z.ZodType).safeParse(candidate).success);
  if (found === undefined) throw new Error(`No sample fits ${JSON.stringify(schema._zod.def)}`);
  return found;
}

function candidatesFor(schema: z.core.$ZodType): readonly unknown[] {
  const { def } = schema._zod as z.core.$ZodTypes['_zod'];
  switch (def.type) {
    case 'object': {
      const required = Object.entries(def.shape).filter(([, field]) => field._zod.optin === undefined);
      return [Object.fromEntries(required.map(([name, field]) => [name, sampleOf(field)]))];
    }
    case 'array':
      return [[sampleOf(def.element)]];
    case 'record':
      return [{}];
    case 'enum':
      return Object.values(def.entries);
    case 'literal':
      return def.values;
    case 'union':
      return def.options.map(sampleOf);
    default:
      return SCALARS;
  }
}
