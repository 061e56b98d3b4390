import { type Clock, endsWithin } from '../ports/clock.ts';
import { Problem } from './http.ts';

/** Nobody waits longer for an answer over HTTP, be it that nobody knows. What was begun goes on. */
export const ANSWER_TIMEOUT_MS = 15_000;

/**
 * Waits for what was asked about an order, for as long as somebody waits for its answer.
 * @param path where to look what became of it.
 * @throws Problem 503 where it takes longer.
 */
export async function answerInTime<T>(work: Promise<T>, path: string, clock: Clock): Promise<T> {
  if (await endsWithin(clock, ANSWER_TIMEOUT_MS, work)) return work;
  const detail = `Whether it was done is not known: look at ${path}, or ask again`;
  throw new Problem(503, 'Unavailable', detail, { headers: { 'Retry-After': '1' } });
}
