import { z } from 'zod';
import { account } from '../saga/step/document.ts';
import { placeSchema } from './delivery-cost.ts';

export const customerFields = {
  address: z.string(),
  location: placeSchema.exactOptional(),
};

/** What stands where something personal was erased. */
export const ERASED = 'erased';

/** Customers: `credit` is what they may still spend, `credit_limit` the whole, in minor units. Without both, there is no limit. */
export const customers = account({
  name: 'user',
  path: 'users/{user}',
  balance: 'credit',
  whole: 'credit_limit',
  mayBeUnlimited: true,
  fields: {
    ...customerFields,
    /** The pseudonym under which the orders of an erased customer go on. Whoever has one can't order any more. */
    erasedAs: z.uuid().exactOptional(),
  },
  missing: 'USER_NOT_FOUND',
  closedBecause: ({ erasedAs }) =>
    erasedAs === undefined ? undefined : 'The customer is being erased, or was',
  shortage: 'INSUFFICIENT_CREDIT',
});
