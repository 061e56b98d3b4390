import { z } from 'zod';
import { documentRoute } from '../saga/http/document-route.ts';
import type { Route } from '../saga/http/http.ts';
import { listRoute } from '../saga/http/list-route.ts';
import type { Store } from '../saga/ports/store.ts';
import { money } from '../shop/lines.ts';
import { stock } from '../shop/stock.ts';

/** What customers see of an item, without what only the audit needs. */
const shows = { quantity: z.int().min(0), price_per_unit: money, loaded: false, corrections: false } as const;

export const inventoryRoutes = (store: Store): readonly Route[] => [
  listRoute(store, stock, {
    summary: 'The stock: what is available now, and at what price',
    as: 'items',
    shows,
  }),
  documentRoute(store, stock, {
    summary: 'The stock of one item',
    responses: { 200: 'The item', 404: 'No such item' },
    shows,
  }),
];
