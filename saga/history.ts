import type { Party, Saga, Status } from './ledger.ts';

/**
 * The history of an order: one line of text for each transition of its ledger. A line is one value in the database where
 * an object would be three, and it is rewritten at each step (docs/decisions/0006-throughput.md).
 */

/** One transition. */
export interface Transition {
  readonly at: Date;
  readonly status: Status;
  readonly by: Party;
}

/** What happened to the order, oldest first. */
export function transitionsOf(saga: Pick<Saga, 'history'>): Transition[] {
  return saga.history.map((line) => {
    const [at = '', status, by] = line.split(' ');
    return { at: new Date(at), status: status as Status, by: by as Party };
  });
}

/** The last thing that happened to the order. */
export function lastTransition(saga: Pick<Saga, 'history'>): Transition {
  return transitionsOf({ history: saga.history.slice(-1) })[0] as Transition;
}

/** A transition as the ledger keeps it. */
export const historyLine = (status: Status, by: Party, at: Date): string =>
  `${at.toISOString()} ${status} ${by}`;
