import { create, type Documents, remove, update } from '../saga/commit/documents.ts';
import { readShared } from '../saga/commit/shared-document.ts';
import { priceOf, type Saga } from '../saga/ledger/ledger.ts';
import { accept, refuse, type Step } from '../saga/step/step.ts';
import { accountPath, accountSchema, invoicePath } from './documents.ts';

export interface PaymentFailures {
  /** The share of payments that is refused, 0 to 1. Which ones, the uuid says: a repetition comes to the same. */
  readonly failProbability: number;
  /** One payment in so many is refused, chosen by the uuid as well; 0: none. */
  readonly failEvery: number;
}

/** Step 3: the order is invoiced at the price at which it was reserved, and charged to the customer's credit. */
export function chargeCustomer(failures: PaymentFailures = { failProbability: 0, failEvery: 0 }): Step {
  return {
    name: 'payments',
    from: 'RESERVED',
    to: 'PAID',

    reads: ({ user }) => [accountPath(user)],

    decide(saga, documents, now) {
      const { uuid, user } = saga;
      const fault = paymentFault(saga, failures);
      if (fault !== undefined) return refuse('PAYMENT_ERROR', fault);
      const total_invoice = saga.items.reduce((sum, line) => sum + line.quantity * priceOf(line), 0);
      if (!Number.isSafeInteger(total_invoice)) {
        return refuse('INVALID_ORDER', 'The total is too large to be counted in whole minor units');
      }
      const account = readAccount(documents, user);
      if (account === undefined) return refuse('USER_NOT_FOUND', `There is no user ${user} any more`);
      const { credit } = account;
      if (credit === undefined) {
        return accept([create(invoicePath(uuid), { user, total_invoice, createdAt: now })], {
          total_invoice,
        });
      }
      if (credit < total_invoice) {
        return refuse(
          'INSUFFICIENT_CREDIT',
          `The total is ${total_invoice}, the credit of ${user} ${credit}`,
        );
      }
      const charged = total_invoice;
      return accept(
        [
          update(accountPath(user), { credit: credit - charged }),
          create(invoicePath(uuid), { user, total_invoice, charged, createdAt: now }),
        ],
        { total_invoice, charged },
      );
    },

    undo({ uuid, user, charged }, documents) {
      if (charged === undefined) return [remove(invoicePath(uuid))];
      const account = readAccount(documents, user);
      // Without the customer the money has nowhere to go back to: the message is repeated, then shown to people.
      if (account === undefined)
        throw new Error(`${charged} can't be given back: there is no user ${user} any more`);
      // The limit was lifted since: what is unlimited can't be given back to.
      if (account.credit === undefined) return [remove(invoicePath(uuid))];
      return [update(accountPath(user), { credit: account.credit + charged }), remove(invoicePath(uuid))];
    },
  };
}

function paymentFault({ uuid, paymentError }: Saga, { failProbability, failEvery }: PaymentFailures) {
  if (paymentError !== undefined) return 'The order asked for its payment to fail (payment-error)';
  const chance = Number.parseInt(uuid.slice(-8), 16);
  if (chance / 2 ** 32 < failProbability) return 'The payment was refused (PAYMENT_FAIL_PROBABILITY)';
  if (failEvery > 0 && chance % failEvery === 0) return 'The payment was refused (PAYMENT_FAIL_EVERY)';
  return undefined;
}

const readAccount = (documents: Documents, user: string) =>
  readShared(documents, accountPath(user), accountSchema);
