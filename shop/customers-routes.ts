import { documentRoute } from '../saga/http/document-route.ts';
import type { Route } from '../saga/http/http.ts';
import { listRoute } from '../saga/http/list-route.ts';
import type { Store } from '../saga/ports/store.ts';
import { customerFields, customers } from './customers.ts';
import { money } from './lines.ts';

const shows = {
  ...customerFields,
  credit: money.optional(),
  credit_limit: money.optional(),
  corrections: false,
  erasedAs: false,
} as const;

/** Shows the customers. The service of the first step that needs them answers it. */
export const customersRoutes = (store: Store): readonly Route[] => [
  listRoute(store, customers, {
    summary: 'The customers, each as GET /users/{user} shows it',
    as: 'users',
    isPersonal: true,
    shows,
  }),
  documentRoute(store, customers, {
    summary: 'A customer: address, and what is left of the credit and its limit',
    responses: { 200: 'The customer', 404: 'No such customer' },
    ownedBy: 'user',
    shows,
  }),
];
