import { z } from 'zod';
import type { Path } from '../saga/ports/store.ts';

export const itemSchema = z.object({
  /** How many units are available now. */
  quantity: z.int().min(0),
  /** In minor units of the currency. */
  price_per_unit: z.int().min(0),
  /**
   * How many units were ever loaded: what is available and what is reserved add up to it, and the audit holds the stock
   * to that. Absent where nobody has noted it; such an item can't be audited.
   */
  loaded: z.int().min(0).exactOptional(),
  /** How often a repair has corrected the quantity: of two that found the same fault, only one corrects it. */
  corrections: z.int().min(0).exactOptional(),
});

export type Item = z.infer<typeof itemSchema>;

/** The units that are held for one order, at the price they are sold at; of what and for which, its path says. */
export interface Reservation {
  readonly quantity: number;
  readonly price_per_unit: number;
}

export const itemPath = (item: string): Path<Item> => `inventory/${item}`;
export const reservationPath = (item: string, uuid: string): Path<Reservation> =>
  `inventory/${item}/orders/${uuid}`;
