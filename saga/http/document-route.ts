import { readOne, type Store } from '../ports/store.ts';
import type { DocumentKind, DocumentRef } from '../step/document.ts';
import { type Shows, viewOf } from './document-view.ts';
import { notFound, type Route, route } from './http.ts';

/** A route that shows one document of a kind, at the path of the document: `GET /payments/{uuid}` for `payments/{uuid}`. */
export function documentRoute<T extends object>(
  store: Store,
  kind: DocumentKind<T> & { of(...names: string[]): DocumentRef },
  {
    shows,
    ...about
  }: {
    readonly summary: string;
    readonly responses: Readonly<Record<200 | 404, string>>;
    readonly shows: Shows<T>;
  },
): Route {
  const { parts, names, schema, see } = viewOf(kind, shows);
  return route({
    method: 'GET',
    path: `/${kind.template}`,
    ...about,
    answer: schema,
    async handle({ params }) {
      const named = names.safeParse(params);
      const found = named.success
        ? await readOne(store, kind.of(...Object.values(named.data)).path)
        : undefined;
      if (named.data === undefined || found === undefined) {
        const whose = kind.held === 'records' ? ' for order' : '';
        throw notFound(`There is no ${kind.name}${whose} ${params[parts.at(-1) ?? '']}`);
      }
      return { status: 200, body: see(named.data, found) };
    },
  });
}
