import type { z } from 'zod';
import { share, wholeNumber } from '../saga/step/settings.ts';
import { accept, refuse } from '../saga/step/step.ts';
import { customers } from '../shop/customers.ts';
import { deliveryCost, tariff } from '../shop/delivery-cost.ts';
import { money, pricedLines, totalOf } from '../shop/lines.ts';
import { step } from '../shop/step.ts';
import { invoices } from './invoices.ts';
import { paymentsRoutes } from './routes.ts';

/** Refuses some payments, for demonstrations. The uuid decides which, so that a repetition has the same result. */
const failureSwitches = {
  /** The share of payments that is refused, 0 to 1. */
  PAYMENT_FAIL_PROBABILITY: share.default(0),
  /** One payment in so many is refused; 0: none. */
  PAYMENT_FAIL_EVERY: wholeNumber(0, 1_000_000_000).prefault('0'),
};

/** The order is invoiced at the price at which it was reserved, and charged with its delivery to the customer's credit. */
export const chargeCustomer = step({
  name: 'payments',
  leadsTo: 'PAID',
  announces: 'payment-created',
  says: 'the invoice exists',
  refusals: ['PAYMENT_ERROR', 'INVALID_ORDER'],
  uses: [customers, invoices],
  needs: { lines: pricedLines },
  learns: { delivery_cost: money, charged: money },
  // The customer pays in another way.
  standIn: { delivery_cost: 0, charged: 0 },
  settings: { ...failureSwitches, ...tariff },
  routes: paymentsRoutes,

  reads: ({ user }) => [customers.of(user)],

  decide(order, read, settings) {
    const fault = paymentFault(order, settings);
    if (fault !== undefined) return refuse('PAYMENT_ERROR', fault);
    const { credit, location } = read(customers.of(order.user));
    const delivery_cost = deliveryCost(location, settings);
    const total = totalOf(order.lines) + delivery_cost;
    if (!Number.isSafeInteger(total)) {
      return refuse('INVALID_ORDER', 'The total is too large to be counted in whole minor units');
    }
    return accept({ delivery_cost, charged: credit === undefined ? 0 : total });
  },

  holds: ({ uuid, user, lines, delivery_cost, charged, at }) => [
    customers.of(user).amount(charged),
    invoices.of(uuid).holding({
      user,
      total_invoice: totalOf(lines),
      delivery_cost,
      charged,
      createdAt: at,
    }),
  ],
});

function paymentFault(
  { uuid, paymentError }: { readonly uuid: string; readonly paymentError?: string },
  switches: z.infer<z.ZodObject<typeof failureSwitches>>,
): string | undefined {
  if (paymentError !== undefined) return 'The order asked for its payment to fail (payment-error)';
  const chance = Number.parseInt(uuid.slice(-8), 16);
  if (chance / 2 ** 32 < switches.PAYMENT_FAIL_PROBABILITY) {
    return 'The payment was refused (PAYMENT_FAIL_PROBABILITY)';
  }
  // Nothing is divisible by 0, so 0 refuses none.
  return chance % switches.PAYMENT_FAIL_EVERY === 0
    ? 'The payment was refused (PAYMENT_FAIL_EVERY)'
    : undefined;
}
