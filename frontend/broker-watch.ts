import { endsWithin } from '../saga/ports/clock.ts';
import type { Ports } from '../saga/ports/ports.ts';

/**
 * Knows from the last publication whether the broker is away. It asks again only while a customer waits for the answer,
 * because between requests a service on Cloud Run may have no processor.
 */
export interface BrokerWatch {
  /** A message could not be published. */
  failed(): void;
  /** Whether the broker is there, as far as we know. If it was away, asks it, at most once a second. */
  isThere(): Promise<boolean>;
}

const ASK_PAUSE_MS = 1_000;
const ASK_TIMEOUT_MS = 2_000;

/** @param topic to ask about; any answer shows that the broker is there. */
export function watchBroker(topic: string, { bus, clock }: Pick<Ports, 'bus' | 'clock'>): BrokerWatch {
  let isAway = false;
  let lastAskedMs = 0;
  let asking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const answered = await endsWithin(clock, ASK_TIMEOUT_MS, bus.missing([topic], [])).catch(() => false);
    if (answered) isAway = false;
    lastAskedMs = clock.now().getTime();
    asking = undefined;
    return answered;
  }

  return {
    failed() {
      if (isAway) return;
      isAway = true;
      lastAskedMs = clock.now().getTime();
    },
    async isThere() {
      if (!isAway) return true;
      if (asking === undefined && clock.now().getTime() - lastAskedMs < ASK_PAUSE_MS) return false;
      asking ??= ask();
      return asking;
    },
  };
}
