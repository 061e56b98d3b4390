import { z } from 'zod';
import type { Path } from '../saga/ports/store.ts';

/** What payments knows of a customer. */
export const accountSchema = z.object({
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

export type Account = z.infer<typeof accountSchema>;

/** What a customer owes for one order; for which one, its path says. */
export interface Invoice {
  readonly user: string;
  /** In minor units of the currency. */
  readonly total_invoice: number;
  /** The part that was taken from the customer's credit; absent where there was no limit. */
  readonly charged?: number;
  readonly createdAt: Date;
}

export const accountPath = (user: string): Path<Account> => `users/${user}`;
export const invoicePath = (uuid: string): Path<Invoice> => `payments/${uuid}`;
