import { account } from '../saga/step/document.ts';
import { money } from './lines.ts';

/** The stock of each item: `quantity` is available now, `loaded` is the whole. */
export const stock = account({
  name: 'item',
  path: 'inventory/{item}',
  balance: 'quantity',
  whole: 'loaded',
  fields: { price_per_unit: money },
  missing: 'ITEM_NOT_FOUND',
  shortage: 'INSUFFICIENT_INVENTORY',
});
