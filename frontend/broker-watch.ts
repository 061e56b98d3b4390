import { endsWithin } from '../saga/clock.ts';
import type { Ports } from '../saga/ports.ts';

/** Knows whether the broker is away, from what became of the last publication, and asks until it is back. */
export interface BrokerWatch {
  isAway(): boolean;
  /** A message could not be published. */
  failed(): void;
  /** Asks no more. */
  stop(): void;
}

const PROBE_PAUSE_MS = 1_000;
const PROBE_TIMEOUT_MS = 2_000;

/** @param topic that is asked after; any answer says that the broker is there. */
export function watchBroker(topic: string, { bus, clock }: Pick<Ports, 'bus' | 'clock'>): BrokerWatch {
  let away = false;
  let callOff = () => {};

  async function probe(): Promise<void> {
    const answered = await endsWithin(clock, PROBE_TIMEOUT_MS, bus.missing([topic], [])).catch(() => false);
    if (answered) away = false;
    else waitAndProbe();
  }

  function waitAndProbe(): void {
    callOff = clock.after(PROBE_PAUSE_MS, () => void probe());
  }

  return {
    isAway: () => away,
    failed() {
      if (away) return;
      away = true;
      waitAndProbe();
    },
    stop: () => callOff(),
  };
}
