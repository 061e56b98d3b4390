import type { SubscriptionSettings } from '../saga/deliver/topology.ts';

/**
 * How long a message rests after a nack, in milliseconds: after each attempt twice as long, up to the maximum.
 * @param attempt the delivery that was nacked, from 1.
 */
export const nackPauseMs = (
  { minBackoffSeconds, maxBackoffSeconds }: SubscriptionSettings['retry'],
  attempt: number,
): number => 1000 * Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** (attempt - 1));
