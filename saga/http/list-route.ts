import { z } from 'zod';
import type { Store } from '../ports/store.ts';
import type { Account } from '../step/document.ts';
import { assertMayAct } from './caller.ts';
import { type Shows, viewOf } from './document-view.ts';
import { type Route, route } from './http.ts';

/** With more documents than this you have a catalog, which needs a service of its own. */
const LISTED_MAX = 1000;

/**
 * A route that lists the accounts of a kind, each as `documentRoute` shows it: `GET /users` for `users/{user}`.
 * @param as the field of the answer in which the list is.
 * @param isPersonal whether the list is about customers: where they are told apart, only operators see it.
 */
export function listRoute<T extends object>(
  store: Store,
  kind: Account<T>,
  {
    as,
    shows,
    summary,
    isPersonal = false,
  }: {
    readonly as: string;
    readonly shows: Shows<T>;
    readonly summary: string;
    readonly isPersonal?: boolean;
  },
): Route {
  const {
    parts: [name = ''],
    schema,
    see,
  } = viewOf(kind, shows);
  const collection = kind.template.replace(`/{${name}}`, '');
  return route({
    method: 'GET',
    path: `/${collection}`,
    summary,
    answer: z.object({ [as]: z.array(schema) }),
    ...(isPersonal && { audience: 'customers' }),
    responses: {
      200: `All by name, at most ${LISTED_MAX}`,
      ...(isPersonal && { 403: 'It is for operators: customers see only what is theirs' }),
    },
    async handle({ caller }) {
      if (isPersonal) assertMayAct(caller, undefined);
      const listed = await store.list(collection, LISTED_MAX);
      return { status: 200, body: { [as]: listed.map(({ id, fields }) => see({ [name]: id }, fields)) } };
    },
  });
}
