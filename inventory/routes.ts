import { z } from 'zod';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { isName, nameSchema } from '../saga/http/name.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { money } from '../shop/lines.ts';
import { stock } from '../shop/stock.ts';

/** With more items than this you have a catalog, which needs a service of its own. */
const LISTED_MAX = 1000;

export function inventoryRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/inventory',
      summary: 'The stock: what is available now, and at what price',
      answer: z.object({ items: z.array(forSale) }),
      responses: { 200: `The items by name, at most ${LISTED_MAX}` },
      async handle() {
        const items = await store.list('inventory', LISTED_MAX);
        return { status: 200, body: { items: items.map(({ id, fields }) => stockOf(id, fields as Stock)) } };
      },
    }),
    route({
      method: 'GET',
      path: '/inventory/{item}',
      summary: 'The stock of one item',
      answer: forSale,
      responses: { 200: 'The item', 404: 'No such item' },
      async handle({ params: { item = '' } }) {
        const found = isName(item) ? await readOne(store, stock.of(item).path) : undefined;
        if (found === undefined) throw notFound(`There is no item ${item}`);
        return { status: 200, body: stockOf(item, found) };
      },
    }),
  ];
}

type Stock = z.infer<typeof stock.schema>;

const forSale = z.object({ item: nameSchema, quantity: z.int().min(0), price_per_unit: money });

/** What customers see of an item, without what only the audit needs. */
const stockOf = (item: string, { quantity, price_per_unit }: Stock) => ({ item, quantity, price_per_unit });
