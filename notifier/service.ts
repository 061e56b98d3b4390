import { parseMessage } from '../saga/deliver/message.ts';
import { createConsumer } from '../saga/deliver/runner.ts';
import type { ConsumerDefinition, ServiceDefinition } from '../saga/deliver/service.ts';
import type { Delivery } from '../saga/ports/bus.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { DEAD_LETTER_TOPIC, type Saga, subscriptionsOf } from '../saga/step/saga.ts';
import { createNotifying } from './notify.ts';
import { settings, type Webhook, webhookOf } from './settings.ts';

/** Tells a customer's system by a webhook what became of each order. It moves no ledger, and knows no step. */
export const notifier: ServiceDefinition = {
  name: 'notifier',
  reads: topicsRead,
  publishes: () => [DEAD_LETTER_TOPIC],
  settings,
  create(saga, ports, { declared }) {
    const webhook = webhookOf(declared);
    const processOf = webhook ? telling(saga, ports, webhook) : leavingOut(saga, ports);
    return {
      name: 'notifier',
      consumers: topicsRead(saga).map((topic) => ({ topic, process: processOf(topic) })),
      routes: () => [],
      start: () =>
        ports.log('INFO', `notifier: ${webhook ? 'sends to WEBHOOK_URL' : 'off: there is no WEBHOOK_URL'}`),
    };
  },
};

/**
 * The topics of both ends of an order, and those that were one until a step was put behind. What still waits there is acked,
 * because the order now goes on.
 */
function topicsRead(saga: Saga): readonly string[] {
  const owns = (topic: string) =>
    subscriptionsOf(topic, 'notifier').some((name) => saga.subscriptions[name] === 'notifier');
  const topics = saga.statuses.map((status) => saga.topicOf(status));
  return [...new Set([saga.topicOf(saga.success), saga.end.topic, ...topics.filter(owns)])];
}

/** @throws Error if nothing can be sent from here. */
function telling(
  saga: Saga,
  ports: Ports,
  webhook: Webhook,
): (topic: string) => ConsumerDefinition['process'] {
  const { post } = ports;
  if (post === undefined) throw new Error('There is a WEBHOOK_URL, but nothing may be sent from here');
  return (topic) =>
    createConsumer(saga, 'notifier', createNotifying(saga, topic, webhook, post, ports), ports);
}

/**
 * With notifications off, a message is done at once and without a line: otherwise all of them would be sent once they are on.
 * What can't be read is parked all the same, because nobody else might see it.
 */
function leavingOut(saga: Saga, ports: Ports): () => ConsumerDefinition['process'] {
  const park = createConsumer(saga, 'notifier', async () => [], ports);
  return () => async (deliveries) => {
    const unreadable: Delivery[] = [];
    for (const delivery of deliveries) {
      if ('fault' in parseMessage(saga, delivery, false)) unreadable.push(delivery);
      else delivery.ack();
    }
    await park(unreadable);
  };
}
