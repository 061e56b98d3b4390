import { FAILING, type Ledger, PAUSED } from './ledger.ts';

/**
 * The history of an order: one line of text for each transition of its ledger. A line is one value in the database where
 * an object would be three, and it is rewritten at each step (docs/decisions/0006-throughput.md).
 */

/** One transition. */
export interface Transition {
  readonly at: Date;
  readonly status: string;
  /** The service that acted. */
  readonly by: string;
  /** The operator who asked for it, if their name is known. Customers are not told. */
  readonly person?: string;
  /** What the operator noted about it. */
  readonly note?: string;
  /** Why the order failed, where it did. */
  readonly reason?: string;
  readonly detail?: string;
}

/** What happened to the order, oldest first. The transition to FAILING has the cause. */
export function transitionsOf({
  history,
  reason,
  detail,
}: Pick<Ledger, 'history' | 'reason' | 'detail'>): Transition[] {
  const cause = { ...(reason && { reason }), ...(detail && { detail }) };
  return history.map(transitionOf).map((one) => (one.status === FAILING ? { ...one, ...cause } : one));
}

/** The last thing that happened to the order. */
export const lastTransition = ({ history }: Pick<Ledger, 'history'>): Transition =>
  transitionOf(history.at(-1) as string);

/** Stands between the person and the note in a line; no name contains it. */
export const NOTE_MARK = ': ';

/**
 * A transition as the ledger keeps it: "2026-01-02T03:04:05.678Z FAILING janitor", and behind it the person who asked for it and
 * what they noted, if there is any: "… PAUSED janitor alice: the provider is away".
 */
export function historyLine(status: string, by: string, at: Date, person?: string, note?: string): string {
  const words = [at.toISOString(), status, by, ...(person === undefined ? [] : [person])].join(' ');
  if (note === undefined) return words;
  return `${words}${person === undefined ? ' ' : ''}${NOTE_MARK}${note}`;
}

/** When the order got this status; undefined if it never did. */
export const transitionTo = (
  { history }: Pick<Ledger, 'history'>,
  status: string,
): Transition | undefined => {
  const line = history.find((one) => statusIn(one) === status);
  return line === undefined ? undefined : transitionOf(line);
};

/** Cuts the line instead of splitting it: each turn reads a few, and this takes half the time. */
function transitionOf(line: string): Transition {
  const atEnd = line.indexOf(' ');
  const statusEnd = line.indexOf(' ', atEnd + 1);
  const byEnd = line.indexOf(' ', statusEnd + 1);
  const one = { at: new Date(line.slice(0, atEnd)), status: line.slice(atEnd + 1, statusEnd) };
  if (byEnd === -1) return { ...one, by: line.slice(statusEnd + 1) };
  const rest = line.slice(byEnd + 1);
  const noted = rest.indexOf(NOTE_MARK);
  const person = noted < 0 ? rest : rest.slice(0, noted);
  return {
    ...one,
    by: line.slice(statusEnd + 1, byEnd),
    ...(person !== '' && { person }),
    ...(noted >= 0 && { note: rest.slice(noted + NOTE_MARK.length) }),
  };
}

/** How many of its transitions a fork has of the order of which it is one; 0 for any other order. */
export const copiedCount = ({ history, forkOf }: Pick<Ledger, 'history' | 'forkOf'>): number =>
  forkOf ? history.findIndex((line) => line.startsWith(`${forkOf.at.toISOString()} ${PAUSED} `)) : 0;

/** The statuses of an order as if it had never been paused: without each pause, and without the status that it went back to. */
export const withoutPauses = (statuses: readonly string[]): readonly string[] =>
  statuses.filter(
    (status, index) => status !== PAUSED && (statuses[index - 1] !== PAUSED || status === FAILING),
  );

/** The status in a line. */
export function statusIn(line: string): string {
  const atEnd = line.indexOf(' ');
  return line.slice(atEnd + 1, line.indexOf(' ', atEnd + 1));
}

/**
 * The moment of a turn. A worker that was held up still has the moment at which its batch began, and clocks differ. Without
 * this, a stage could begin, and be overdue, before the previous one ended.
 */
export function notBefore(ledger: Ledger | undefined, now: Date): Date {
  if (ledger === undefined) return now;
  const { at } = lastTransition(ledger);
  return at > now ? at : now;
}
