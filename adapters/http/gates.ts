import type { RequestHandler } from 'express';
import type { Route } from '../../saga/http/http.ts';
import { type CustomerCheck, customerGate } from './customer-gate.ts';
import { type OperatorCheck, operatorGate } from './operator-gate.ts';
import { limitedRate } from './rate-limit.ts';

/** The settings for who may call, and how often. */
export interface GateSettings {
  readonly operators?: OperatorCheck | undefined;
  /** How customers are told apart; undefined: they are not. */
  readonly customers?: CustomerCheck | undefined;
  /** How many requests that change something a client may send per minute; 0: any number. */
  readonly clientChangesPerMinute?: number;
  readonly operatorRequestsPerMinute?: number;
}

/** What a request passes before a route sees it. */
export type GatesOf = (route: Pick<Route, 'method' | 'audience'>) => RequestHandler[];

/**
 * What each request passes before its route sees it. The rate limit comes first, so that tokens can't be tried without end.
 * Without settings nothing is limited, no request is an operator's, and customers are not told apart.
 */
export function gatesBy({
  operators,
  customers,
  clientChangesPerMinute = 0,
  operatorRequestsPerMinute = 0,
}: GateSettings = {}): GatesOf {
  // Each counts for all of its routes together.
  const forOperators = [...limitedRate(operatorRequestsPerMinute), operatorGate(operators)];
  const forChanges = limitedRate(clientChangesPerMinute);
  const forCustomers = customers ? [customerGate(customers, operators)] : [];
  return ({ audience, method }) => {
    if (audience === 'operators') return forOperators;
    return [...(method === 'GET' ? [] : forChanges), ...(audience === 'customers' ? forCustomers : [])];
  };
}
