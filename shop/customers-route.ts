import { documentRoute } from '../saga/http/document-route.ts';
import type { Route } from '../saga/http/http.ts';
import type { Store } from '../saga/ports/store.ts';
import { customerFields, customers } from './customers.ts';
import { money } from './lines.ts';

/** Shows one customer. The service of the first step that needs customers answers it. */
export const customersRoute = (store: Store): readonly Route[] => [
  documentRoute(store, customers, {
    summary: 'A customer: address, and what is left of the credit and its limit',
    responses: { 200: 'The customer', 404: 'No such customer' },
    shows: {
      ...customerFields,
      credit: money.optional(),
      credit_limit: money.optional(),
      corrections: false,
    },
  }),
];
