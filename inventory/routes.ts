import { z } from 'zod';
import { documentRoute } from '../saga/http/document-route.ts';
import { type Route, route } from '../saga/http/http.ts';
import { nameSchema } from '../saga/http/name.ts';
import type { Store } from '../saga/ports/store.ts';
import { money } from '../shop/lines.ts';
import { stock } from '../shop/stock.ts';

/** With more items than this you have a catalog, which needs a service of its own. */
const LISTED_MAX = 1000;

/** What customers see of an item, without what only the audit needs. */
const forSale = { quantity: z.int().min(0), price_per_unit: money };
type ForSale = z.infer<z.ZodObject<typeof forSale>>;

export function inventoryRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/inventory',
      summary: 'The stock: what is available now, and at what price',
      answer: z.object({ items: z.array(z.object({ item: nameSchema, ...forSale })) }),
      responses: { 200: `The items by name, at most ${LISTED_MAX}` },
      async handle() {
        const items = (await store.list('inventory', LISTED_MAX)).map(({ id, fields }) => {
          const { quantity, price_per_unit } = fields as ForSale;
          return { item: id, quantity, price_per_unit };
        });
        return { status: 200, body: { items } };
      },
    }),
    documentRoute(store, stock, {
      summary: 'The stock of one item',
      responses: { 200: 'The item', 404: 'No such item' },
      shows: { ...forSale, loaded: false, corrections: false },
    }),
  ];
}
