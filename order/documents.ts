import { z } from 'zod';
import type { Path } from '../saga/ports/store.ts';
import type { Order } from '../shop/order.ts';

export const userSchema = z.object({
  address: z.string(),
  location: z.object({ lat: z.number(), lng: z.number() }).exactOptional(),
  /** What the customer may still spend, in minor units of the currency; absent: no limit. */
  credit: z.int().min(0).exactOptional(),
  /**
   * The whole limit: what is left and what was charged add up to it, and the audit holds the credit to that. Absent
   * where there is no limit, or where nobody has noted it; such a credit can't be audited.
   */
  credit_limit: z.int().min(0).exactOptional(),
  /** How often a repair has corrected the credit: of two that found the same fault, only one corrects it. */
  corrections: z.int().min(0).exactOptional(),
});

export type User = z.infer<typeof userSchema>;

/** The customer's copy of the order; whose it is and which one, its path says. */
export interface OrderRecord extends Omit<Order, 'user'> {
  readonly createdAt: Date;
}

export const userPath = (user: string): Path<User> => `users/${user}`;
export const orderRecordPath = (user: string, uuid: string): Path<OrderRecord> =>
  `users/${user}/orders/${uuid}`;
