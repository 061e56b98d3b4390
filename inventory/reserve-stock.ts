import { accept } from '../saga/step/step.ts';
import { pricedLines } from '../shop/lines.ts';
import { step } from '../shop/step.ts';
import { stock } from '../shop/stock.ts';
import { reservations } from './reservations.ts';
import { inventoryRoutes } from './routes.ts';

/** Every line is reserved at today's price, or none is. */
export const reserveStock = step({
  name: 'inventory',
  leadsTo: 'RESERVED',
  announces: 'inventory-updated',
  says: 'every line is reserved',
  uses: [stock, reservations],
  learns: { lines: pricedLines },
  routes: inventoryRoutes,

  reads: ({ items }) => items.map(({ item }) => stock.of(item)),

  decide: ({ items }, read) =>
    accept({
      lines: items.map(({ item, quantity }) => {
        const { price_per_unit } = read(stock.of(item));
        return { item, quantity, price_per_unit };
      }),
    }),

  holds: ({ uuid, lines }) =>
    lines.flatMap(({ item, quantity, price_per_unit }) => [
      stock.of(item).amount(quantity),
      reservations.of(item, uuid).holding({ quantity, price_per_unit }),
    ]),
});
