import { z } from 'zod';
import type { Path } from '../saga/ports/store.ts';
import { money, units } from '../shop/lines.ts';

/**
 * The journal of an item, `inventory/{item}/changes/{id}`: what people changed of its price and its whole, who, and why. Each
 * entry is written in the commit of its change and never again. No order holds one, so neither the steps nor the audit know it.
 */

/** What there is of an item: `quantity` is available, `loaded` is the whole. */
export const figuresSchema = z.object({ quantity: units, loaded: units, price_per_unit: money });
export type Figures = z.infer<typeof figuresSchema>;

export interface StockChange {
  readonly id: string;
  readonly createdAt: Date;
  /** The operator who asked for it, if their name is known. */
  readonly person?: string;
  readonly note: string;
  /** Absent for a new item. */
  readonly before?: Figures;
  readonly after: Figures;
}

/** The collection of an item's journal. */
export const journalOf = (item: string): string => `inventory/${item}/changes`;

export const changePath = (item: string, id: string): Path<StockChange> => `${journalOf(item)}/${id}`;
