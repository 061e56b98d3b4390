import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { moment } from '../saga/http/answers.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { nameSchema } from '../saga/http/name.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { money } from '../shop/lines.ts';
import { invoices } from './invoices.ts';

export function paymentsRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/payments/{uuid}',
      summary: 'The invoice of an order',
      answer: z.object({
        uuid: z.uuid(),
        user: nameSchema,
        total_invoice: money,
        charged: money,
        createdAt: moment,
      }),
      responses: { 200: 'The invoice', 404: 'No invoice: the order is not paid, or was canceled' },
      async handle({ params: { uuid = '' } }) {
        const found = isUuid(uuid) ? await readOne(store, invoices.of(uuid.toLowerCase()).path) : undefined;
        if (found === undefined) throw notFound(`There is no invoice for order ${uuid}`);
        return { status: 200, body: { uuid: uuid.toLowerCase(), ...found } };
      },
    }),
  ];
}
