import { z } from 'zod';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { isName, nameSchema } from '../saga/input/name.ts';
import type { Store } from '../saga/ports/store.ts';
import { money, units } from '../shop/lines.ts';
import { sales } from '../shop/sales.ts';
import { stock } from '../shop/stock.ts';

/** With more items than this you have a catalog, which needs a service of its own. */
const LISTED_MAX = 1000;

const itemSchema = z.object({
  item: nameSchema,
  /** What is available now. */
  quantity: units,
  /** What is held for orders that may still fail. */
  reserved: units,
  /** What has left the stock for good. */
  sold: units,
  price_per_unit: money,
});

type Stored = z.output<typeof stock.schema>;

/** The stock of one item. Both documents are read at nearly the same moment, and orders go on meanwhile. */
function seen(
  item: string,
  { quantity, loaded, price_per_unit }: Stored,
  sold = 0,
): z.infer<typeof itemSchema> {
  return { item, quantity, reserved: Math.max(0, loaded - quantity - sold), sold, price_per_unit };
}

const EXAMPLE = seen('widget', { quantity: 95, loaded: 100, price_per_unit: 10 }, 2);

export const inventoryRoutes = (store: Store): readonly Route[] => [
  route({
    method: 'GET',
    path: '/inventory',
    summary: 'The stock: what is available now, reserved and sold, and at what price',
    answer: z.object({ items: z.array(itemSchema) }),
    example: { items: [EXAMPLE] },
    responses: { 200: `All by name, at most ${LISTED_MAX}` },
    async handle() {
      const [items, counted] = await Promise.all([
        store.list('inventory', LISTED_MAX),
        store.list('sales', LISTED_MAX),
      ]);
      const soldOf = new Map(counted.map(({ id, fields }) => [id, (fields as { sold: number }).sold]));
      return {
        status: 200,
        body: { items: items.map(({ id, fields }) => seen(id, fields as Stored, soldOf.get(id))) },
      };
    },
  }),
  route({
    method: 'GET',
    path: '/inventory/{item}',
    summary: 'The stock of one item',
    answer: itemSchema,
    example: EXAMPLE,
    responses: { 200: 'The item', 404: 'No such item' },
    async handle({ params: { item = '' } }) {
      if (!isName(item)) throw notFound(`There is no item ${item}`);
      const [inStock, counted] = [stock.of(item), sales.of(item)];
      const found = await store.read([inStock.path, counted.path]);
      const stored = found.get(inStock.path)?.fields as Stored | undefined;
      if (stored === undefined) throw notFound(`There is no item ${item}`);
      const { sold } = (found.get(counted.path)?.fields ?? {}) as { sold?: number };
      return { status: 200, body: seen(item, stored, sold) };
    },
  }),
];
