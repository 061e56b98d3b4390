import { create, type Documents, remove, update, type Write } from '../saga/commit/documents.ts';
import { readShared } from '../saga/commit/shared-document.ts';
import { accept, refuse, type Step } from '../saga/step/step.ts';
import type { Line } from '../shop/order.ts';
import { itemPath, itemSchema, reservationPath } from './documents.ts';

/** Step 2: every line is reserved at today's price, or none is. */
export const reserveStock: Step = {
  name: 'inventory',
  from: 'CREATED',
  to: 'RESERVED',

  reads: ({ items }) => items.map(({ item }) => itemPath(item)),

  decide({ uuid, items }, documents) {
    const writes: Write[] = [];
    const priced: Line[] = [];
    for (const { item, quantity } of items) {
      const stock = readItem(documents, item);
      if (stock === undefined) return refuse('ITEM_NOT_FOUND', `There is no item ${item}`);
      if (stock.quantity < quantity) {
        return refuse('INSUFFICIENT_INVENTORY', `Of ${item}, ${stock.quantity} are left, not ${quantity}`);
      }
      const { price_per_unit } = stock;
      priced.push({ item, quantity, price_per_unit });
      writes.push(
        update(itemPath(item), { quantity: stock.quantity - quantity }),
        create(reservationPath(item, uuid), { quantity, price_per_unit }),
      );
    }
    return accept(writes, { items: priced });
  },

  undo: ({ uuid, items }, documents) =>
    items.flatMap(({ item, quantity }) => {
      const stock = readItem(documents, item);
      // Without its document the units have nowhere to go back to: the message is repeated, then shown to people.
      if (stock === undefined)
        throw new Error(`${quantity} of ${item} can't be put back: there is no such item any more`);
      return [
        update(itemPath(item), { quantity: stock.quantity + quantity }),
        remove(reservationPath(item, uuid)),
      ];
    }),
};

const readItem = (documents: Documents, item: string) => readShared(documents, itemPath(item), itemSchema);
