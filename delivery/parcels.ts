import { z } from 'zod';
import { record } from '../saga/step/document.ts';
import { money } from '../shop/lines.ts';

/** What is on its way to a customer, or has arrived. The path names the order. */
export const parcels = record({
  name: 'parcel',
  path: 'deliveries/{uuid}',
  schema: z.object({
    user: z.string(),
    address: z.string(),
    items: z.array(z.object({ item: z.string(), quantity: z.int() })).readonly(),
    delivery_cost: money,
    createdAt: z.date(),
  }),
});
