import { z } from 'zod';
import { record } from '../saga/step/document.ts';
import { money } from '../shop/lines.ts';

/** The units held for one order, at their price. The path names the item and the order. */
export const reservations = record({
  name: 'reservation',
  path: 'inventory/{item}/orders/{uuid}',
  schema: z.object({ quantity: z.int().min(1), price_per_unit: money }),
});
