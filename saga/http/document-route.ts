import { z } from 'zod';
import { readOne, type Store } from '../ports/store.ts';
import type { AnyKind, DocumentRef } from '../step/document.ts';
import { notFound, type Route, route } from './http.ts';
import { nameSchema } from './name.ts';

/**
 * A route that shows one document of a kind, at the path of the document: `GET /payments/{uuid}` for `payments/{uuid}`.
 * @param shows the fields that people see besides the names in the path; others, such as those for the audit, stay inside.
 */
export function documentRoute(
  store: Store,
  kind: AnyKind & { of(...names: string[]): DocumentRef },
  {
    shows,
    ...about
  }: {
    readonly summary: string;
    readonly responses: Readonly<Record<200 | 404, string>>;
    readonly shows: z.ZodRawShape;
  },
): Route {
  const parts = [...kind.template.matchAll(/\{(\w+)\}/g)].map(([, part = '']) => part);
  const names = z.object(
    Object.fromEntries(parts.map((part) => [part, part === 'uuid' ? z.uuid().toLowerCase() : nameSchema])),
  );
  return route({
    method: 'GET',
    path: `/${kind.template}`,
    ...about,
    answer: names.extend(shows),
    async handle({ params }) {
      const named = names.safeParse(params);
      const found = named.success
        ? await readOne(store, kind.of(...Object.values(named.data)).path)
        : undefined;
      if (found === undefined) {
        const whose = kind.held === 'records' ? ' for order' : '';
        throw notFound(`There is no ${kind.name}${whose} ${params[parts.at(-1) ?? '']}`);
      }
      const fields: ReadonlyMap<string, unknown> = new Map(Object.entries(found));
      // In the order in which `shows` names them; a store may hand them out in any.
      const shown = Object.keys(shows).flatMap((field) =>
        fields.has(field) ? [[field, fields.get(field)]] : [],
      );
      return { status: 200, body: { ...named.data, ...Object.fromEntries(shown) } };
    },
  });
}
