import { z } from 'zod';
import { readOne, type Store } from '../ports/store.ts';
import type { DocumentKind, DocumentRef } from '../step/document.ts';
import { notFound, type Route, route } from './http.ts';
import { nameSchema } from './name.ts';

/**
 * A route that shows one document of a kind, at the path of the document: `GET /payments/{uuid}` for `payments/{uuid}`.
 * @param shows for each field of the document, how people see it, in this order; or false for one that stays inside, such as
 * those for the audit. The compiler complains of a field that is not named.
 */
export function documentRoute<T extends object>(
  store: Store,
  kind: DocumentKind<T> & { of(...names: string[]): DocumentRef },
  {
    shows,
    ...about
  }: {
    readonly summary: string;
    readonly responses: Readonly<Record<200 | 404, string>>;
    readonly shows: { readonly [Field in keyof T]-?: z.ZodType<T[Field] | undefined> | false };
  },
): Route {
  const shown: z.ZodRawShape = Object.fromEntries(
    Object.entries<z.ZodType | false>(shows).filter((one): one is [string, z.ZodType] => one[1] !== false),
  );
  const parts = [...kind.template.matchAll(/\{(\w+)\}/g)].map(([, part = '']) => part);
  const names = z.object(
    Object.fromEntries(parts.map((part) => [part, part === 'uuid' ? z.uuid().toLowerCase() : nameSchema])),
  );
  return route({
    method: 'GET',
    path: `/${kind.template}`,
    ...about,
    answer: names.extend(shown),
    async handle({ params }) {
      const named = names.safeParse(params);
      const found = named.success
        ? await readOne(store, kind.of(...Object.values(named.data)).path)
        : undefined;
      if (found === undefined) {
        const whose = kind.held === 'records' ? ' for order' : '';
        throw notFound(`There is no ${kind.name}${whose} ${params[parts.at(-1) ?? '']}`);
      }
      const fields = found as Readonly<Record<string, unknown>>;
      // A store may hand them out in any order.
      const seen = Object.keys(shown).filter((field) => field in fields);
      const body = { ...named.data, ...Object.fromEntries(seen.map((field) => [field, fields[field]])) };
      return { status: 200, body };
    },
  });
}
