import { z } from 'zod';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { isName, nameSchema } from '../saga/http/name.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { customers } from '../shop/customers.ts';

export function orderRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/users/{user}',
      summary: 'A customer: address, and what is left of the credit and its limit',
      answer: customers.schema.and(z.object({ user: nameSchema })),
      responses: { 200: 'The customer', 404: 'No such customer' },
      async handle({ params: { user = '' } }) {
        const found = isName(user) ? await readOne(store, customers.of(user).path) : undefined;
        if (found === undefined) throw notFound(`There is no user ${user}`);
        const { corrections: _, ...shown } = found;
        return { status: 200, body: { user, ...shown } };
      },
    }),
  ];
}
