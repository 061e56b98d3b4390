import type { Bus } from '../ports/bus.ts';
import { type Inbox, OUTSTANDING_MAX } from './inbox.ts';

/** Fills an inbox with what a subscription delivers. */
export interface Consumer {
  /**
   * Stops taking and hands back at once what waited. Resolves when the batch under way is done and the broker has
   * been told, or after `timeoutMs`.
   */
  close(timeoutMs: number): Promise<void>;
}

/**
 * Opens a subscription. What it delivers waits in our own inbox, never inside a client library, so that all of it can be
 * handed back when the process is told to stop.
 * @param onFailure is told when the subscription can't go on.
 */
export function startConsumer(
  bus: Bus,
  subscription: string,
  inbox: Inbox,
  onFailure: (error: Error) => void,
): Consumer {
  const open = bus.subscribe(subscription, OUTSTANDING_MAX, inbox.deliver, onFailure);
  return {
    async close(timeoutMs) {
      const closing = open.close(timeoutMs);
      inbox.stop();
      await closing;
    },
  };
}
