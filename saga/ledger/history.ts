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
export const transitionsOf = ({ history }: Pick<Saga, 'history'>): Transition[] => history.map(transitionOf);

/** The last thing that happened to the order. */
export const lastTransition = ({ history }: Pick<Saga, 'history'>): Transition =>
  transitionOf(history.at(-1) as string);

/** A transition as the ledger keeps it. */
export const historyLine = (status: Status, by: Party, at: Date): string =>
  `${at.toISOString()} ${status} ${by}`;

/** Each turn reads a few lines, so they are cut and not split: that takes half of the time. */
function transitionOf(line: string): Transition {
  const atEnd = line.indexOf(' ');
  const statusEnd = line.lastIndexOf(' ');
  return {
    at: new Date(line.slice(0, atEnd)),
    status: line.slice(atEnd + 1, statusEnd) as Status,
    by: line.slice(statusEnd + 1) as Party,
  };
}
