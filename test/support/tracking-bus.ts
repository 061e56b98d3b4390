import type { Topology } from '../../saga/deliver/topology.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { sampled } from './thorough.ts';

/** A bus that knows when all is quiet, so that a test waits for exactly that. */
export interface TrackingBus extends Bus {
  /** Resolves when every message that was published has been acked by every service that reads its topic. */
  idle(): Promise<void>;
  /** Every message that was published, in order. */
  readonly published: readonly OutgoingMessage[];
}

/** Watches what goes in and what is acked. A message follows from another before that one is acked: no gap. */
export function trackingBus(bus: Bus, topology: Topology): TrackingBus {
  const published: OutgoingMessage[] = [];
  let owed = 0;
  let waiting: (() => void)[] = [];

  const readers = (topic: string): number =>
    Object.values(topology.subscriptions).filter((settings) => settings.topic === topic && settings.service)
      .length;
  const isForService = (subscription: string): boolean =>
    topology.subscriptions[subscription]?.service !== undefined;

  function pay(): void {
    owed--;
    if (owed > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  return {
    ...bus,
    published,
    async publish(messages) {
      published.push(...messages);
      owed += messages.reduce((sum, { topic }) => sum + readers(topic), 0);
      const results = await bus.publish(messages);
      messages.forEach(({ topic }, index) => {
        if (results[index]) for (let reader = 0; reader < readers(topic); reader++) pay();
      });
      return results;
    },
    subscribe(subscription, outstandingMax, onDelivery, onFailure) {
      const watched = (delivery: Delivery) => {
        let settled = false;
        onDelivery({
          ...delivery,
          ack() {
            delivery.ack();
            if (!settled && isForService(subscription)) pay();
            settled = true;
          },
          nack() {
            delivery.nack();
            settled = true;
          },
        });
      };
      return bus.subscribe(subscription, outstandingMax, watched, onFailure);
    },
    idle: () => (owed <= 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}

/** A broker at its worst: every message is published twice, under two ids, and each of them is delivered twice. */
export function doublingBus(bus: Bus): Bus {
  return {
    ...bus,
    async publish(messages) {
      await bus.publish(messages);
      return bus.publish(messages);
    },
    subscribe(subscription, outstandingMax, onDelivery, onFailure) {
      const twice = (delivery: Delivery) => {
        let open = 2;
        let refused = false;
        const settle = (nacked: boolean) => {
          open--;
          refused ||= nacked;
          if (open > 0) return;
          if (refused) delivery.nack();
          else delivery.ack();
        };
        for (let copy = 0; copy < 2; copy++) {
          onDelivery({ ...delivery, ack: () => settle(false), nack: () => settle(true) });
        }
      };
      return bus.subscribe(subscription, outstandingMax, twice, onFailure);
    },
  };
}

/** In which ways the messages of a suite come. A sample has the harder one. */
export const manners = (
  [
    [
      '[anomalies 1, 2, 3] every message twice, under two ids, each delivered twice',
      ({ bus }: Pick<Ports, 'bus'>) => ({ bus: doublingBus(bus) }),
    ],
    ['every message once', undefined],
  ] as const
).slice(0, sampled(2, 1));
