import { type Clock, endsWithin } from '../ports/clock.ts';
import { unavailable } from './http.ts';

/** After this long we answer 503, even if the outcome is unknown. The work that was begun goes on. */
export const ANSWER_TIMEOUT_MS = 15_000;

/**
 * Waits for work on an order, but no longer than a caller is made to wait.
 * @param path where to see what became of it.
 * @throws Problem 503 if it takes longer.
 */
export async function answerInTime<T>(work: Promise<T>, path: string, clock: Clock): Promise<T> {
  if (await endsWithin(clock, ANSWER_TIMEOUT_MS, work)) return work;
  throw unavailable(`Whether it was done is not known: look at ${path}, or ask again`);
}
