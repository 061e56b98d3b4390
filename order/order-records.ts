import { z } from 'zod';
import { record } from '../saga/step/document.ts';

/** The customer's copy of an order. The path names the customer and the order. */
export const orderRecords = record({
  name: 'order record',
  path: 'users/{user}/orders/{uuid}',
  schema: z.object({
    items: z.array(z.object({ item: z.string(), quantity: z.int() })).readonly(),
    paymentError: z.string().exactOptional(),
    createdAt: z.date(),
  }),
});
