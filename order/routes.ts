import { notFound, type Route, route } from '../saga/http/http.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { isName } from '../shop/order.ts';
import { userPath } from './documents.ts';

export function orderRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/users/{user}',
      summary: 'A customer: address, and what is left of the credit and its limit',
      responses: { 200: 'The customer', 404: 'No such customer' },
      async handle({ params: { user = '' } }) {
        const found = isName(user) ? await readOne(store, userPath(user)) : undefined;
        if (found === undefined) throw notFound(`There is no user ${user}`);
        const { corrections: _, ...shown } = found;
        return { status: 200, body: { user, ...shown } };
      },
    }),
  ];
}
