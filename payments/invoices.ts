import { z } from 'zod';
import { record } from '../saga/step/document.ts';
import { money } from '../shop/lines.ts';

/** What a customer owes for one order, in minor units of the currency. The path names the order. */
export const invoices = record({
  name: 'invoice',
  path: 'payments/{uuid}',
  schema: z.object({
    user: z.string(),
    total_invoice: money,
    delivery_cost: money,
    /** What was taken from the customer's credit: both, or nothing if there is no limit. */
    charged: money,
    createdAt: z.date(),
  }),
});
