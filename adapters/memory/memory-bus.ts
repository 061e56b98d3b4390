import { DEAD_LETTER } from '../../saga/deliver/message.ts';
import type { SubscriptionSettings, Topology } from '../../saga/deliver/topology.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Clock } from '../../saga/ports/clock.ts';

/**
 * The embedded broker. It keeps nothing beyond the process, and behaves like Pub/Sub in what matters: every subscription
 * has its own copy of each message, a message that is not acked in time comes again, a nack is followed by a growing pause,
 * and after the allowed number of deliveries a message moves to the dead-letter topic.
 */
export function createMemoryBus(topology: Topology, clock: Clock): Bus {
  let messageCount = 0;
  const subscriptions = new Map(
    Object.entries(topology.subscriptions).map(([name, settings]) => [
      name,
      new Subscription(name, settings, clock, publishOne),
    ]),
  );

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
      if (subscription.settings.topic === message.topic) subscription.enqueue(copy);
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
      for (const subscription of subscriptions.values()) subscription.stop();
    },
  };
}

type StoredMessage = Pick<Delivery, 'messageId' | 'data' | 'attributes' | 'publishTime'>;
interface Queued {
  readonly message: StoredMessage;
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

class Subscription {
  readonly name: string;
  readonly settings: SubscriptionSettings;
  readonly #clock: Clock;
  readonly #publish: (message: OutgoingMessage) => void;
  #waiting: Queued[] = [];
  readonly #readers: Reader[] = [];
  #dispatching = false;
  readonly #timers = new Set<() => void>();

  constructor(
    name: string,
    settings: SubscriptionSettings,
    clock: Clock,
    publish: (message: OutgoingMessage) => void,
  ) {
    this.name = name;
    this.settings = settings;
    this.#clock = clock;
    this.#publish = publish;
  }

  enqueue(message: StoredMessage): void {
    this.#enqueue({ message, attempts: 0 });
  }

  open(outstandingMax: number, onDelivery: (delivery: Delivery) => void) {
    const reader: Reader = { outstandingMax, onDelivery, outstanding: 0, onIdle: () => {} };
    this.#readers.push(reader);
    this.#dispatch();
    return {
      close: (timeoutMs: number) => {
        const index = this.#readers.indexOf(reader);
        if (index >= 0) this.#readers.splice(index, 1);
        if (reader.outstanding === 0) return Promise.resolve();
        return new Promise<void>((resolve) => {
          const cancelTimeout = this.#later(timeoutMs, resolve);
          reader.onIdle = () => {
            cancelTimeout();
            resolve();
          };
        });
      },
    };
  }

  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#readers.length = 0;
  }

  #enqueue(queued: Queued): void {
    this.#waiting.push(queued);
    const forPeople = this.settings.service === undefined;
    if (forPeople && this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    this.#dispatch();
  }

  /** Hands out what waits, in a microtask, so that a subscriber never runs inside its publisher's call. */
  #dispatch(): void {
    if (this.#dispatching || this.#readers.length === 0) return;
    this.#dispatching = true;
    queueMicrotask(() => {
      this.#dispatching = false;
      let taken = 0;
      for (const queued of this.#waiting) {
        const reader = this.#leastBusyReader();
        if (reader === undefined) break;
        taken++;
        this.#deliver(queued, reader);
      }
      this.#waiting = this.#waiting.slice(taken);
    });
  }

  #leastBusyReader(): Reader | undefined {
    let best: Reader | undefined;
    for (const reader of this.#readers) {
      if (reader.outstanding < reader.outstandingMax && (!best || reader.outstanding < best.outstanding))
        best = reader;
    }
    return best;
  }

  #deliver(queued: Queued, reader: Reader): void {
    queued.attempts++;
    reader.outstanding++;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      cancelDeadline();
      reader.outstanding--;
      if (reader.outstanding === 0) reader.onIdle();
      this.#dispatch();
      return true;
    };
    const again = (delayMs: number): void => {
      if (!settle()) return;
      const { deadLetter } = this.settings;
      if (deadLetter && queued.attempts >= deadLetter.maxDeliveryAttempts)
        this.#deadLetter(queued, deadLetter.topic);
      else this.#later(delayMs, () => this.#enqueue(queued));
    };
    // An ack after the deadline has no effect. Pub/Sub does not promise otherwise.
    const cancelDeadline = this.#later(this.settings.ackDeadlineSeconds * 1000, () => again(0));
    reader.onDelivery({
      ...queued.message,
      subscription: this.name,
      // A copy, so that a reader that changes the bytes does not change other deliveries.
      data: Buffer.from(queued.message.data),
      attempt: queued.attempts,
      ack: settle,
      nack: () => again(this.#backoffMs(queued.attempts)),
    });
  }

  #deadLetter({ message, attempts }: Queued, topic: string): void {
    this.#publish({
      topic,
      data: message.data,
      attributes: {
        ...message.attributes,
        [DEAD_LETTER.subscription]: this.name,
        [DEAD_LETTER.attempts]: String(attempts),
      },
    });
  }

  #backoffMs(attempts: number): number {
    const { minBackoffSeconds, maxBackoffSeconds } = this.settings.retry;
    return 1000 * Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** (attempts - 1));
  }

  #later(delayMs: number, action: () => void): () => void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(stop);
      action();
    });
    const stop = () => {
      this.#timers.delete(stop);
      cancel();
    };
    this.#timers.add(stop);
    return stop;
  }
}
