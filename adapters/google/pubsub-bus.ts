import {
  Duration,
  type Message,
  PubSub,
  type Subscription,
  SubscriptionCloseBehaviors,
  v1,
} from '@google-cloud/pubsub';
import type { SubscriptionSettings, Topology } from '../../saga/deliver/topology.ts';
import type {
  Bus,
  Delivery,
  OpenSubscription,
  OutgoingMessage,
  PublishResult,
} from '../../saga/ports/bus.ts';
import { endsWithin } from '../../saga/ports/clock.ts';
import { nackPauseMs } from '../nack-pause.ts';
import { systemClock } from '../system-clock.ts';
import { emulatorOptions } from './emulator-options.ts';
import { flowControlOf, STREAM_COUNT } from './flow-control.ts';
import { requestsOf } from './publish-requests.ts';

export interface PubSubOptions {
  readonly projectId: string;
  /** How long a publication may take with all its retries, in milliseconds. The library's own limit is 600 s. */
  readonly publishTimeoutMs: number;
  /**
   * Only for the emulator, which loses messages of subscriptions with a retry policy. So the bus itself pauses after a nack,
   * as the topology's policies say (docs/decisions/0007-retry-on-the-emulator.md).
   */
  readonly retryHere?: Topology | undefined;
}

/** gRPC's codes for a request that is wrong, and for what does not exist. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;

/**
 * The bus on Pub/Sub, with streaming pull. The client finds the emulator by PUBSUB_EMULATOR_HOST.
 */
export function createPubSubBus({ projectId, publishTimeoutMs, retryHere }: PubSubOptions): Bus {
  const pubsub = new PubSub({ projectId, ...emulatorOptions(process.env.PUBSUB_EMULATOR_HOST) });
  // The API client itself: `Topic` keeps batches of its own, and processes each string of each message once more.
  const publisher = new v1.PublisherClient(
    pubsub.options as ConstructorParameters<typeof v1.PublisherClient>[0],
  );
  // By default this client merges requests again, so that one message could spoil all others.
  const gaxOptions = { isBundling: false, retry: publishRetry(publishTimeoutMs) };
  const publishing = new Set<Promise<unknown>>();

  /** Sends messages of one topic in one request, which Pub/Sub accepts or refuses as a whole. */
  async function send(topic: string, messages: readonly OutgoingMessage[]): Promise<PublishResult> {
    const request = {
      topic: `projects/${projectId}/topics/${topic}`,
      messages: messages.map(({ data, attributes }) => ({ data, attributes })),
    };
    try {
      const published = publisher.publish(request, gaxOptions);
      if (await endsWithin(systemClock, publishTimeoutMs, published)) return undefined;
      return new Error(`${topic}: no answer within ${publishTimeoutMs} ms`);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** One refused message spoils its whole request. Then each message is sent alone. */
  async function publishAll(messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    const results: PublishResult[] = [];
    const sending = requestsOf(messages).map(async ({ topic, entries }) => {
      const together = await send(
        topic,
        entries.map(([, message]) => message),
      );
      const isSpoilt = (together as { code?: number } | undefined)?.code === INVALID_ARGUMENT;
      const each = entries.map(async ([index, message]) => {
        results[index] = isSpoilt && entries.length > 1 ? await send(topic, [message]) : together;
      });
      await Promise.all(each);
    });
    await Promise.all(sending);
    return results;
  }

  return {
    publish(messages) {
      const results = publishAll(messages);
      publishing.add(results);
      return results.finally(() => publishing.delete(results));
    },

    subscribe(name, outstandingMax, onDelivery, onFailure) {
      return openSubscription(
        name,
        pubsub.subscription(name, subscriberOptions(outstandingMax)),
        retryHere?.subscriptions[name]?.retry,
        onDelivery,
        onFailure,
      );
    },

    async missing(topicNames, subscriptionNames) {
      const exists = await Promise.all([
        ...topicNames.map((name) => pubsub.topic(name).exists()),
        ...subscriptionNames.map((name) => pubsub.subscription(name).exists()),
      ]);
      return [...topicNames, ...subscriptionNames].filter((_, index) => !exists[index]?.[0]);
    },

    async close() {
      await Promise.allSettled(publishing);
      await Promise.all([publisher.close(), pubsub.close()]);
    },
  };
}

/** Retries what may succeed the next time, within the given time. After that the saga repeats it. */
function publishRetry(totalTimeoutMillis: number) {
  return {
    // ABORTED, CANCELLED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE, UNKNOWN
    retryCodes: [10, 1, 4, 13, 8, 14, 2],
    backoffSettings: {
      initialRetryDelayMillis: 100,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 2000,
      initialRpcTimeoutMillis: totalTimeoutMillis,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: totalTimeoutMillis,
      totalTimeoutMillis,
    },
  };
}

function subscriberOptions(outstandingMax: number) {
  return {
    flowControl: flowControlOf(outstandingMax),
    streamingOptions: { maxStreams: STREAM_COUNT },
    // Send acks soon, so that fewer messages come again after a crash.
    batching: { maxMilliseconds: 20 },
  };
}

function openSubscription(
  name: string,
  subscription: Subscription,
  retry: SubscriptionSettings['retry'] | undefined,
  onDelivery: (delivery: Delivery) => void,
  onFailure: (error: Error) => void,
): OpenSubscription {
  /** Messages whose nack waits. The client keeps their lease meanwhile. */
  const resting = new Map<Message, NodeJS.Timeout>();
  let isClosing = false;

  function nack(message: Message): void {
    if (resting.has(message)) return;
    if (retry === undefined || isClosing) message.nack();
    else resting.set(message, setTimeout(nackNow, nackPauseMs(retry, attemptOf(message)), message));
  }
  function nackNow(message: Message): void {
    clearTimeout(resting.get(message));
    resting.delete(message);
    message.nack();
  }
  subscription.on('message', (message: Message) =>
    onDelivery({
      subscription: name,
      messageId: message.id,
      data: message.data,
      attributes: message.attributes,
      publishTime: message.publishTime,
      attempt: attemptOf(message),
      // The client itself ignores all but the first call, but knows nothing of a nack that waits.
      ack() {
        if (!resting.has(message)) message.ack();
      },
      nack: () => nack(message),
    }),
  );
  subscription.on('error', (error: Error & { code?: number }) => {
    onFailure(
      error.code === NOT_FOUND ? new Error(`Subscription ${name} does not exist`, { cause: error }) : error,
    );
  });
  return {
    async close(timeoutMs) {
      isClosing = true;
      for (const message of resting.keys()) nackNow(message);
      subscription.setOptions({
        closeOptions: {
          behavior: SubscriptionCloseBehaviors.WaitForProcessing,
          timeout: Duration.from({ milliseconds: timeoutMs }),
        },
      });
      await subscription.close();
    },
  };
}

/** Zero if the subscription has no dead-letter policy and so does not count. */
const attemptOf = (message: Message): number => Math.max(1, message.deliveryAttempt);
