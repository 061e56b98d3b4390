import { moment } from '../saga/http/answers.ts';
import { documentRoute } from '../saga/http/document-route.ts';
import type { Route } from '../saga/http/http.ts';
import { nameSchema } from '../saga/input/name.ts';
import type { Store } from '../saga/ports/store.ts';
import { money } from '../shop/lines.ts';
import { invoices } from './invoices.ts';

export const paymentsRoutes = (store: Store): readonly Route[] => [
  documentRoute(store, invoices, {
    summary: 'The invoice of an order',
    responses: { 200: 'The invoice', 404: 'No invoice: the order is not paid, or was canceled' },
    ownedBy: 'user',
    shows: {
      user: nameSchema,
      total_invoice: money,
      delivery_cost: money,
      charged: money,
      createdAt: moment,
    },
  }),
];
