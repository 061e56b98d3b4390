import { readOne, type Store } from '../ports/store.ts';
import type { DocumentKind, DocumentRef } from '../step/document.ts';
import { mayAct } from './caller.ts';
import { type Shows, viewOf } from './document-view.ts';
import { notFound, type Route, route } from './http.ts';

/**
 * A route that shows one document of a kind, at the path of the document: `GET /payments/{uuid}` for `payments/{uuid}`.
 * @param ownedBy the name in its path, or the shown field, that says whose it is: where customers are told apart, they see only
 * their own. Without it, a record is for operators there, and any other document for everybody.
 */
export function documentRoute<T extends object>(
  store: Store,
  kind: DocumentKind<T> & { of(...names: string[]): DocumentRef },
  {
    shows,
    ownedBy,
    ...about
  }: {
    readonly summary: string;
    readonly responses: Readonly<Record<200 | 404, string>>;
    readonly shows: Shows<T>;
    readonly ownedBy?: string;
  },
): Route {
  const { parts, names, schema, see } = viewOf(kind, shows);
  const isOwned = ownedBy !== undefined || kind.held === 'records';
  const ownerOf = (seen: object) => (seen as Readonly<Record<string, unknown>>)[ownedBy ?? ''];
  return route({
    method: 'GET',
    path: `/${kind.template}`,
    ...about,
    ...(isOwned && { audience: 'customers' }),
    answer: schema,
    async handle({ params, caller }) {
      const named = names.safeParse(params);
      const found = named.success
        ? await readOne(store, kind.of(...Object.values(named.data)).path)
        : undefined;
      const body = named.data && found && see(named.data, found);
      // For one of another customer, the answer is the same as for none.
      if (body === undefined || (isOwned && !mayAct(caller, ownerOf(body)))) {
        const whose = kind.held === 'records' ? ' for order' : '';
        throw notFound(`There is no ${kind.name}${whose} ${params[parts.at(-1) ?? '']}`);
      }
      return { status: 200, body };
    },
  });
}
