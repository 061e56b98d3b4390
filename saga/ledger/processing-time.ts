import type { Saga } from '../step/saga.ts';
import { isStanding, isWaiting } from './deadline.ts';
import { lastTransition, statusIn } from './history.ts';
import type { Ledger } from './ledger.ts';

/**
 * How long our programs took to process an order, in seconds: until none of them had anything left to do, because it waits for a
 * word from outside, is paused, or rests. It counts from the acceptance, or from what made a processed order go on: a word, a
 * cancellation. So days with a courier count nothing.
 * @returns undefined if the order is not processed yet.
 */
export function processingSeconds(saga: Saga, { history }: Pick<Ledger, 'history'>): number | undefined {
  const isProcessed = (line: string): boolean => {
    const status = statusIn(line);
    return isWaiting(saga, { status }) || !isStanding(saga, { status });
  };
  const last = history.at(-1) as string;
  if (!isProcessed(last)) return undefined;
  const since = history[history.slice(0, -1).findLastIndex(isProcessed) + 1] ?? last;
  return (atOf(last) - atOf(since)) / 1000;
}

const atOf = (line: string): number => lastTransition({ history: [line] }).at.getTime();
