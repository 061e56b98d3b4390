import type { Transition } from '../ledger/history.ts';
import { Problem } from './http.ts';

/** Who sends a request, as the server has found out. Nothing here knows how: a gate in front of the routes does. */
export type Caller =
  | { readonly kind: 'customer'; readonly name: string }
  | { readonly kind: 'operator'; readonly name?: string };

/**
 * Whether a caller may see and change what belongs to a customer: operators may, and the customer. Without a caller, customers are
 * not told apart, and everybody may.
 * @param customer undefined for what belongs to no single customer: then no customer may.
 */
export const mayAct = (caller: Caller | undefined, customer: unknown): boolean =>
  caller?.kind !== 'customer' || caller.name === customer;

/**
 * Lets a caller act for a customer whom the request itself names. What a request only leads to is answered with 404 instead,
 * so that it does not show what there is.
 * @throws Problem 403
 */
export function assertMayAct(caller: Caller | undefined, customer: unknown): void {
  if (!mayAct(caller, customer)) {
    throw new Problem(
      403,
      'Forbidden',
      'Your token is for another customer: you may see and order only what is yours',
    );
  }
}

/**
 * Whose orders a request is about: those of the customer whom it names, or else, where customers are told apart, the caller's own.
 * @returns undefined for those of all customers.
 * @throws Problem 403 for another customer's.
 */
export function customerAskedFor(caller: Caller | undefined, named: string | undefined): string | undefined {
  const customer = named ?? (caller?.kind === 'customer' ? caller.name : undefined);
  assertMayAct(caller, customer);
  return customer;
}

/** A transition as this caller may see it: names and notes of operators are for operators. */
export function transitionSeenBy(caller: Caller | undefined, transition: Transition): Transition {
  const { person: _person, note: _note, ...open } = transition;
  return caller?.kind === 'operator' ? transition : open;
}

/** The operator who asks, by name, for histories and the log; undefined if the name is not known. */
export const operatorIn = (caller: Caller | undefined): string | undefined =>
  caller?.kind === 'operator' ? caller.name : undefined;
