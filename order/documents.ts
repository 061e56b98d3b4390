import { z } from 'zod';
import type { Order } from '../saga/order.ts';
import type { Path } from '../saga/store.ts';

export const userSchema = z.object({
  address: z.string(),
  location: z.object({ lat: z.number(), lng: z.number() }).exactOptional(),
  /** What the customer may still spend, in minor units of the currency; absent: no limit. */
  credit: z.int().min(0).exactOptional(),
});

export type User = z.infer<typeof userSchema>;

/** The customer's copy of the order; whose it is and which one, its path says. */
export interface OrderRecord extends Omit<Order, 'user'> {
  readonly createdAt: Date;
}

export const userPath = (user: string): Path<User> => `users/${user}`;
export const orderRecordPath = (user: string, uuid: string): Path<OrderRecord> =>
  `users/${user}/orders/${uuid}`;
