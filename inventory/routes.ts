import { notFound, type Route, route } from '../saga/http/http.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { isName } from '../shop/order.ts';
import { type Item, itemPath } from './documents.ts';

/** More items than this are a catalogue, which wants a service of its own. */
const LISTED_MAX = 1000;

export function inventoryRoutes(store: Store): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/inventory',
      summary: 'The stock: what is available now, and at what price',
      responses: { 200: `The items by name, at most ${LISTED_MAX}` },
      async handle() {
        const items = await store.list('inventory', LISTED_MAX);
        return { status: 200, body: { items: items.map(({ id, fields }) => stockOf(id, fields as Item)) } };
      },
    }),
    route({
      method: 'GET',
      path: '/inventory/{item}',
      summary: 'The stock of one item',
      responses: { 200: 'The item', 404: 'No such item' },
      async handle({ params: { item = '' } }) {
        const found = isName(item) ? await readOne(store, itemPath(item)) : undefined;
        if (found === undefined) throw notFound(`There is no item ${item}`);
        return { status: 200, body: stockOf(item, found) };
      },
    }),
  ];
}

/** What is for sale; what only the audit needs is left out. */
const stockOf = (item: string, { quantity, price_per_unit }: Item) => ({ item, quantity, price_per_unit });
