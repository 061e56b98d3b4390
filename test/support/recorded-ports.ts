import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { Bus, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Severity } from '../../saga/ports/log.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { storeHolding, UUID } from './builders.ts';
import { defined } from './defined.ts';
import { createFaultyStore, type FaultyStore } from './faulty-store.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly severity: Severity;
  readonly message: string;
}

/** The embedded engine, with a record of what passes through its ports and faults where a spec wants them. */
export interface RecordedPorts extends Ports {
  readonly clock: ManualClock;
  readonly store: FaultyStore;
  readonly bus: Bus;
  /** What happened, in the order in which it did: `commit`, `publish {topic}`, and what deliveries add. */
  readonly journal: string[];
  /** What reached the broker. */
  readonly published: OutgoingMessage[];
  /** Publications that fail, by topic. */
  readonly deafTopics: Set<string>;
  readonly logged: LogLine[];
}

export async function recordedPorts(documents: Readonly<Record<Path, object>> = {}): Promise<RecordedPorts> {
  const journal: string[] = [];
  const published: OutgoingMessage[] = [];
  const deafTopics = new Set<string>();
  const logged: LogLine[] = [];
  const clock = createManualClock();
  const memory = await storeHolding(documents);
  const journaled: Store = {
    ...memory,
    async commit(writes) {
      await memory.commit(writes);
      journal.push('commit');
    },
  };
  const memoryBus = createMemoryBus(topologyOf(pipeline), clock);
  const bus: Bus = {
    ...memoryBus,
    async publish(messages) {
      // It would cost a round trip and a span, and say nothing.
      if (messages.length === 0) throw new Error('An empty list was published');
      const heard = messages.filter(({ topic }) => !deafTopics.has(topic));
      const results = new Map(
        (await memoryBus.publish(heard)).map((result, index) => [heard[index], result] as const),
      );
      published.push(...heard);
      journal.push(...heard.map(({ topic }) => `publish ${topic}`));
      return messages.map((message) =>
        deafTopics.has(message.topic) ? new Error('The broker is away') : results.get(message),
      );
    },
  };
  return {
    clock,
    random: () => 0.5,
    newUuid: () => UUID,
    store: createFaultyStore(journaled),
    bus,
    journal,
    published,
    deafTopics,
    logged,
    log: (severity, message, fields) => logged.push(defined({ severity, message, ...fields })),
  };
}
