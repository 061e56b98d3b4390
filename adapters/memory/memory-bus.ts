import { DEAD_LETTER } from '../../saga/deliver/message.ts';
import type { SubscriptionSettings, Topology } from '../../saga/deliver/topology.ts';
import type { Bus, Delivery, OpenSubscription, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Clock } from '../../saga/ports/clock.ts';
import { nackPauseMs } from '../nack-pause.ts';

/**
 * The embedded broker. It keeps nothing beyond the process, and behaves like Pub/Sub in what matters: every subscription
 * has its own copy of each message, a message that is not acked in time comes again, a nack is followed by a growing pause,
 * and after the allowed number of deliveries a message moves to the dead-letter topic.
 */
export function createMemoryBus(topology: Topology, clock: Clock): Bus {
  let messageCount = 0;
  const timers = new Set<() => void>();
  const subscriptions = new Map(
    Object.entries(topology.subscriptions).map(([name, settings]) => [
      name,
      createSubscription(name, settings, later, publishOne),
    ]),
  );

  /** As the clock's `after`, but nothing happens once the bus is closed. */
  function later(delayMs: number, action: () => void): () => void {
    const cancel = clock.after(delayMs, () => {
      timers.delete(stop);
      action();
    });
    const stop = () => {
      timers.delete(stop);
      cancel();
    };
    timers.add(stop);
    return stop;
  }

  function publishOne(message: OutgoingMessage): Error | undefined {
    if (!topology.topics.includes(message.topic)) return new Error(`Topic ${message.topic} does not exist`);
    const { data, attributes } = message;
    if (data.length === 0 && Object.keys(attributes).length === 0) return new Error('The message is empty');
    const copy = {
      messageId: String(++messageCount),
      data: Buffer.from(data),
      attributes: Object.freeze({ ...attributes }),
      publishTime: clock.now(),
    };
    for (const subscription of subscriptions.values()) {
      if (subscription.topic === message.topic) subscription.enqueue({ message: copy, attempts: 0 });
    }
    return undefined;
  }

  return {
    async publish(messages) {
      return messages.map(publishOne);
    },
    subscribe(name, outstandingMax, onDelivery, onFailure) {
      const subscription = subscriptions.get(name);
      if (subscription === undefined) {
        queueMicrotask(() => onFailure(new Error(`Subscription ${name} does not exist`)));
        return { close: async () => {} };
      }
      return subscription.open(outstandingMax, onDelivery);
    },
    async missing(topics, names) {
      return [
        ...topics.filter((topic) => !topology.topics.includes(topic)),
        ...names.filter((name) => !subscriptions.has(name)),
      ];
    },
    async close() {
      for (const cancel of timers) cancel();
      for (const subscription of subscriptions.values()) subscription.stop();
    },
  };
}

interface Queued {
  readonly message: Pick<Delivery, 'messageId' | 'data' | 'attributes' | 'publishTime'>;
  attempts: number;
}
interface Reader {
  readonly outstandingMax: number;
  readonly onDelivery: (delivery: Delivery) => void;
  outstanding: number;
  onIdle: () => void;
}

/** Messages for people who never pull them must not fill the memory: the oldest is dropped, as if its retention had ended. */
const WAITING_MAX = 100_000;

function createSubscription(
  name: string,
  { topic, service, ackDeadlineSeconds, retry, deadLetter }: SubscriptionSettings,
  later: Clock['after'],
  publish: (message: OutgoingMessage) => void,
) {
  let waiting: Queued[] = [];
  let readers: Reader[] = [];
  let isDispatching = false;

  function enqueue(queued: Queued): void {
    waiting.push(queued);
    const forPeople = service === undefined;
    if (forPeople && waiting.length > WAITING_MAX) waiting.shift();
    dispatch();
  }

  /** Hands out what waits, in a microtask, so that a subscriber never runs inside its publisher's call. */
  function dispatch(): void {
    if (isDispatching || readers.length === 0) return;
    isDispatching = true;
    queueMicrotask(() => {
      isDispatching = false;
      let taken = 0;
      for (const queued of waiting) {
        const reader = leastBusyReader();
        if (reader === undefined) break;
        taken++;
        deliver(queued, reader);
      }
      waiting = waiting.slice(taken);
    });
  }

  const leastBusyReader = (): Reader | undefined =>
    readers
      .filter(({ outstanding, outstandingMax }) => outstanding < outstandingMax)
      .sort((one, other) => one.outstanding - other.outstanding)
      .at(0);

  function deliver(queued: Queued, reader: Reader): void {
    queued.attempts++;
    reader.outstanding++;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      cancelDeadline();
      reader.outstanding--;
      if (reader.outstanding === 0) reader.onIdle();
      dispatch();
      return true;
    };
    const again = (delayMs: number): void => {
      if (!settle()) return;
      if (deadLetter && queued.attempts >= deadLetter.maxDeliveryAttempts) giveUp(queued, deadLetter.topic);
      else later(delayMs, () => enqueue(queued));
    };
    // An ack after the deadline has no effect. Pub/Sub does not promise otherwise.
    const cancelDeadline = later(ackDeadlineSeconds * 1000, () => again(0));
    reader.onDelivery({
      ...queued.message,
      subscription: name,
      // A copy, so that a reader that changes the bytes does not change other deliveries.
      data: Buffer.from(queued.message.data),
      attempt: queued.attempts,
      ack: settle,
      nack: () => again(nackPauseMs(retry, queued.attempts)),
    });
  }

  function giveUp({ message: { data, attributes }, attempts }: Queued, deadLetterTopic: string): void {
    publish({
      topic: deadLetterTopic,
      data,
      attributes: {
        ...attributes,
        [DEAD_LETTER.subscription]: name,
        [DEAD_LETTER.attempts]: String(attempts),
      },
    });
  }

  return {
    topic,
    enqueue,
    open(outstandingMax: number, onDelivery: (delivery: Delivery) => void): OpenSubscription {
      const reader: Reader = { outstandingMax, onDelivery, outstanding: 0, onIdle: () => {} };
      readers.push(reader);
      dispatch();
      return {
        close(timeoutMs) {
          readers = readers.filter((one) => one !== reader);
          if (reader.outstanding === 0) return Promise.resolve();
          return new Promise((resolve) => {
            const cancelTimeout = later(timeoutMs, resolve);
            reader.onIdle = () => {
              cancelTimeout();
              resolve();
            };
          });
        },
      };
    },
    stop() {
      readers = [];
    },
  };
}
