import { z } from 'zod';

/** Schemas for settings, which come from the environment as strings. */

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  const digits = z.string({ error }).regex(/^\d+$/, { error });
  return digits.transform(Number).pipe(z.int({ error }).min(min, { error }).max(max, { error }));
}

const shareFault = { error: 'must be a number from 0 to 1' };
/** A number from 0 to 1, in decimal digits: `0x1` is a slip, and would be 1. */
export const share = z
  .string(shareFault)
  .regex(/^\d*\.?\d+$/, shareFault)
  .transform(Number)
  .pipe(z.number(shareFault).min(0, shareFault).max(1, shareFault));
