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
    /** The part that was taken from the customer's credit. */
    charged: money,
    createdAt: z.date(),
  }),
});
