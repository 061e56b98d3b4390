import { z } from 'zod';
import { record } from '../saga/step/document.ts';
import type { Line } from '../shop/order.ts';

/** The customer's copy of an order. The path names the customer and the order. */
export interface OrderRecord {
  readonly items: readonly Line[];
  readonly paymentError?: string;
  readonly createdAt: Date;
}

export const orderRecords = record({
  name: 'order record',
  path: 'users/{user}/orders/{uuid}',
  schema: z.object({
    items: z.array(z.object({ item: z.string(), quantity: z.int() })),
    paymentError: z.string().exactOptional(),
    createdAt: z.date(),
  }) as z.ZodType<OrderRecord>,
});
