import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { deadLetterOf } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';
import { aDelivery, SETTINGS } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

/**
 * Who reads which subscription, written down by hand: a subscription never changes its reader, because what waits in it then
 * would go to somebody else. What is new need not stand here, and what stands here never changes.
 */
const READERS: Readonly<Record<string, readonly [topic: string, reader: string]>> = {
  'frontend-sub': ['frontend', 'order'],
  'order-created-sub': ['order-created', 'inventory'],
  'inventory-updated-sub': ['inventory-updated', 'payments'],
  'payment-created-sub': ['payment-created', 'people'],
  'order-delivered-notifier-sub': ['order-delivered', 'notifier'],
  'payment-created-delivery-sub': ['payment-created', 'delivery'],
  'delivery-started-sub': ['delivery-started', 'people'],
  'delivery-updates-sub': ['delivery-updates', 'delivery'],
  'order-delivered-sub': ['order-delivered', 'people'],
  'order-waiting-sub': ['order-waiting', 'people'],
  'order-resumed-inventory-sub': ['order-resumed', 'inventory'],
  'order-resumed-delivery-sub': ['order-resumed', 'delivery'],
  'error-sub': ['error', 'janitor'],
  'error-cli-sub': ['error', 'people'],
  'order-canceled-sub': ['order-canceled', 'people'],
  'order-canceled-notifier-sub': ['order-canceled', 'notifier'],
  'dead-letter-sub': ['dead-letter', 'janitor'],
  'dead-letter-cli-sub': ['dead-letter', 'people'],
};

describe('The topology of the pipeline', () => {
  const topology = topologyOf(pipeline);
  const subscriptions = Object.entries(topology.subscriptions);
  const consumed = async () => {
    const services = allServices(pipeline, await recordedPorts(), SETTINGS);
    return services.flatMap(({ name, consumers }) =>
      consumers.map(({ topic }) => ({ service: name, topic })),
    );
  };

  it('[anomaly 26] leaves every subscription to whom it has always belonged', () => {
    const readers = subscriptions.map(([name, { topic, service = 'people' }]) => [name, [topic, service]]);
    expect(Object.fromEntries(readers)).to.deep.include(READERS);
  });

  it('[anomaly 25] gives every message that a ledger calls for somewhere to arrive', () => {
    const { topic: deadLetters } = deadLetterOf(aDelivery('poison'), 'No reason');
    const emitted = [...pipeline.statuses.map((status) => pipeline.topicOf(status)), deadLetters];
    const unheard = emitted.filter(
      (topic) => !subscriptions.some(([, settings]) => settings.topic === topic),
    );
    expect(unheard).to.deep.equal([]);
    expect(emitted.filter((topic) => !topology.topics.includes(topic))).to.deep.equal([]);
  });

  it('[anomaly 25] leaves a failure to the janitor, whoever else listens', async () => {
    expect(await consumed()).to.deep.include({
      service: 'janitor',
      topic: pipeline.topicOf('FAILING'),
    });
  });

  it('[anomaly 26] has exactly one subscription for each topic that a service reads', async () => {
    for (const { service, topic } of await consumed()) {
      const own = subscriptions.filter(
        ([, settings]) => settings.service === service && settings.topic === topic,
      );
      expect(own, `${service} reads ${topic}`).to.have.length(1);
    }
  });

  it('[anomaly 26] gives no service a subscription that it does not read', async () => {
    const declared = subscriptions.flatMap(([, { service, topic }]) => (service ? [{ service, topic }] : []));
    expect(declared).to.have.deep.members(await consumed());
  });

  it('[anomaly 38] gives people their own subscription wherever a message is worth seeing', () => {
    const forPeople = subscriptions.flatMap(([, { service, topic }]) => (service ? [] : [topic]));
    const seen = [pipeline.success, 'FAILING', 'CANCELED'].map((status) => pipeline.topicOf(status));
    expect(forPeople).to.include.members([...seen, DEAD_LETTER_TOPIC]);
  });

  it("[anomaly 12] dead-letters what a service can't process, except at the desk itself", () => {
    for (const [name, { service, topic, deadLetter }] of subscriptions) {
      const expected = service !== undefined && topic !== DEAD_LETTER_TOPIC ? DEAD_LETTER_TOPIC : undefined;
      expect(deadLetter?.topic, name).to.equal(expected);
      // The runner comes first, because it knows why.
      if (deadLetter) expect(deadLetter.maxDeliveryAttempts, name).to.be.above(DELIVERIES_MAX);
    }
  });
});
