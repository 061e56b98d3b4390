import { wholeNumber } from '../saga/step/settings.ts';
import { accept, type Read, wait } from '../saga/step/step.ts';
import { agreedLines, type PricedLine, pricedLines, totalOf } from '../shop/lines.ts';
import { distinctLines, type Line } from '../shop/order.ts';
import { step } from '../shop/step.ts';
import { stock } from '../shop/stock.ts';
import { reservations } from './reservations.ts';
import { inventoryRoutes } from './routes.ts';
import { stockChangeRoutes } from './stock-change-routes.ts';
import { stockMovementsRoute } from './stock-movements.ts';

const HOUR_SECONDS = 3600;

/**
 * Every line is reserved at today's price, or none is. An order that is dear, or of which only a part is there and that asks
 * to be told, holds what there is at that price until somebody decides.
 */
export const reserveStock = step({
  name: 'inventory',
  leadsTo: 'RESERVED',
  announces: 'inventory-updated',
  says: 'every line is reserved',
  uses: [stock, reservations],
  learns: { lines: pricedLines },
  settings: {
    /** An order of more than this, in minor units, waits for a person; without it, none does. */
    APPROVAL_ABOVE: wholeNumber(0, 1_000_000_000_000).optional(),
    /** How long it waits before it is canceled. */
    APPROVAL_HOURS: wholeNumber(1, 720).prefault('24'),
  },
  routes: (store, _settings, ports, saga) => [
    ...inventoryRoutes(store),
    stockMovementsRoute(saga, store),
    ...stockChangeRoutes(ports),
  ],

  waits: {
    as: 'WAITING',
    announces: 'order-waiting',
    says: 'an order waits for a word from outside',
    learns: { offered: pricedLines },
    words: { approve: {}, amend: { items: distinctLines } },
    afterwards: 'give up',
    path: 'order/{uuid}',
    heardBy: 'frontend',
    fault: ({ offered }, word) => (word.word === 'amend' ? amendmentFault(offered, word.items) : undefined),
    holds: ({ uuid, offered, word }) => reserved(uuid, agreedLines(offered, word)),
  },

  reads: ({ items }) => items.map(({ item }) => stock.of(item)),

  decide({ items, on_shortage, offered, word }, read, { APPROVAL_ABOVE = Infinity, APPROVAL_HOURS }) {
    if (offered !== undefined) return accept({ lines: agreedLines(offered, word) });
    const lines = priced(items, read);
    const there = on_shortage === 'ask' ? whatIsThere(lines, read) : lines;
    const isShort = there.length > 0 && unitsOf(there) < unitsOf(lines);
    return isShort || totalOf(there) > APPROVAL_ABOVE
      ? wait(APPROVAL_HOURS * HOUR_SECONDS, { offered: there })
      : accept({ lines });
  },

  holds: ({ uuid, lines }) => reserved(uuid, lines),
});

const priced = (items: readonly Line[], read: Read): PricedLine[] =>
  items.map(({ item, quantity }) => {
    const { price_per_unit } = read(stock.of(item));
    return { item, quantity, price_per_unit };
  });

/** Of each line, what is there; nothing of a line of which nothing is. */
const whatIsThere = (lines: readonly PricedLine[], read: Read): PricedLine[] =>
  lines
    .map((line) => ({ ...line, quantity: Math.min(line.quantity, read(stock.of(line.item)).quantity) }))
    .filter(({ quantity }) => quantity > 0);

const unitsOf = (lines: readonly Line[]): number => lines.reduce((sum, { quantity }) => sum + quantity, 0);

/** An amendment takes out lines or makes them smaller. */
function amendmentFault(offered: readonly PricedLine[], items: readonly Line[]): string | undefined {
  for (const { item, quantity } of items) {
    const held = offered.find((line) => line.item === item)?.quantity ?? 0;
    if (quantity > held)
      return `An amendment takes out lines or makes them smaller: the order holds ${held} of ${item}`;
  }
  return undefined;
}

const reserved = (uuid: string, lines: readonly PricedLine[]) =>
  lines.flatMap(({ item, quantity, price_per_unit }) => [
    stock.of(item).amount(quantity),
    reservations.of(item, uuid).holding({ quantity, price_per_unit }),
  ]);
