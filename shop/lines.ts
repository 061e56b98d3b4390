import { z } from 'zod';
import { nameSchema } from '../saga/input/name.ts';

/** The lines of an order once they have a price. */

const fault = { error: `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}` };
const count = z.int(fault).min(0, fault);

/** In minor units of the currency. */
export const money = count;
/** Of an item. */
export const units = count;

/** Otherwise an order would hold two reservations of one item, which have one path. */
export const namesEachItemOnce = (lines: readonly { readonly item: string }[]): boolean =>
  new Set(lines.map(({ item }) => item)).size === lines.length;

/** What was reserved, at the price that will be charged even if the item's price changes later. */
export const pricedLines = z
  .array(z.object({ item: nameSchema, quantity: z.int().min(1), price_per_unit: money }))
  .refine(namesEachItemOnce, 'names an item twice');

export type PricedLine = z.infer<typeof pricedLines>[number];

/** The sum of all lines, in minor units of the currency. If it is too large, it is not a safe integer. */
export const totalOf = (lines: readonly PricedLine[]): number =>
  lines.reduce((sum, { quantity, price_per_unit }) => sum + quantity * price_per_unit, 0);

/** What was agreed upon: what was offered, or, of that, what an amendment leaves. */
export function agreedLines(
  offered: readonly PricedLine[],
  word?: {
    readonly word: string;
    readonly items?: readonly { readonly item: string; readonly quantity: number }[];
  },
): PricedLine[] {
  const { items } = word ?? {};
  if (items === undefined) return [...offered];
  return offered.flatMap((line) => {
    const quantity = items.find(({ item }) => item === line.item)?.quantity;
    return quantity === undefined ? [] : [{ ...line, quantity }];
  });
}
