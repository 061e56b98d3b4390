import type { Topology } from '../../saga/deliver/topology.ts';
import type { Bus, OutgoingMessage } from '../../saga/ports/bus.ts';

/** Hears every message of every topic, by subscriptions of its own, so that it can be published again by hand. */
export interface Tap {
  /** Each fact once: a repeated announcement has the same `ce-id`. */
  readonly heard: readonly OutgoingMessage[];
  /** The `ce-id` of each, or the broker's id where it has none. */
  readonly ids: ReadonlySet<string>;
  close(): Promise<void>;
}

const tapOn = (topic: string) => `tap-on-${topic}`;

/** The topology with a tap on every topic. */
export function withTaps(topology: Topology): Topology {
  const taps = topology.topics.map((topic) => [
    tapOn(topic),
    {
      topic,
      ackDeadlineSeconds: 60,
      retentionDays: 1,
      retry: { minBackoffSeconds: 1, maxBackoffSeconds: 1 },
    },
  ]);
  return { ...topology, subscriptions: { ...topology.subscriptions, ...Object.fromEntries(taps) } };
}

/** @param onFact is told each fact once. */
export function openTap(
  bus: Bus,
  topology: Topology,
  onFact: (message: OutgoingMessage) => void = () => {},
): Tap {
  const heard: OutgoingMessage[] = [];
  const ids = new Set<string>();
  const open = topology.topics.map((topic) =>
    bus.subscribe(
      tapOn(topic),
      1000,
      ({ messageId, data, attributes, ack }) => {
        ack();
        const fact = attributes['ce-id'] ?? messageId;
        if (ids.has(fact)) return;
        ids.add(fact);
        heard.push({ topic, data, attributes });
        onFact({ topic, data, attributes });
      },
      (error) => {
        throw error;
      },
    ),
  );
  return {
    heard,
    ids,
    async close() {
      await Promise.all(open.map((subscription) => subscription.close(2_000)));
    },
  };
}
