import type { RequestHandler } from 'express';
import { bearerOf, identify } from './caller-of.ts';
import { holdsToken, type OperatorCheck } from './operator-gate.ts';

/**
 * Finds out whose token this is.
 * @param token empty if the request has none.
 * @returns the customer's name.
 * @throws Problem 401 if the token is not good, 503 if that can't be told now.
 */
export type CustomerCheck = (token: string) => Promise<string>;

/** What to say when a service starts that can't tell customers apart. */
export const CUSTOMERS_ALIKE =
  'Customers are not told apart: whoever reaches this service may order for any user, and see and cancel any order; CUSTOMER_AUTH=oidc tells them apart';

/**
 * Lets customers pass who show their own token, and operators who show theirs. Here an operator has to show it: what stands in
 * front of the service, or this machine, lets customers through, too.
 */
export function customerGate(check: CustomerCheck, operators: OperatorCheck | undefined): RequestHandler {
  const isOperators = holdsToken(operators);
  return async (request, _response, next) => {
    identify(
      request,
      isOperators(request)
        ? { kind: 'operator' }
        : { kind: 'customer', name: await check(bearerOf(request)) },
    );
    next();
  };
}
