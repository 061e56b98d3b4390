import { expect } from 'chai';
import { readTopology } from '../../programs/config.ts';
import { allServices } from '../../programs/services.ts';
import { deadLetterOf } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import { emissionFor, STATUSES } from '../../saga/ledger/ledger.ts';
import { aDelivery, SETTINGS } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

describe('The topology of the pipeline', () => {
  const topology = readTopology();
  const subscriptions = Object.entries(topology.subscriptions);
  const consumed = async () => {
    const services = allServices(await recordedPorts(), SETTINGS);
    return services.flatMap(({ name, consumers }) =>
      consumers.map(({ topic }) => ({ service: name, topic })),
    );
  };

  it('[anomaly 25] gives every message that a ledger calls for somewhere to arrive', () => {
    const { topic: deadLetters } = deadLetterOf(aDelivery('poison'), 'No reason');
    const emitted = [...STATUSES.map((status) => emissionFor({ status })), deadLetters];
    const unheard = emitted.filter(
      (topic) => !subscriptions.some(([, settings]) => settings.topic === topic),
    );
    expect(unheard).to.deep.equal([]);
    expect(emitted.filter((topic) => !topology.topics.includes(topic))).to.deep.equal([]);
  });

  it('[anomaly 25] leaves a failure to the janitor, whoever else listens', async () => {
    expect(await consumed()).to.deep.include({
      service: 'janitor',
      topic: emissionFor({ status: 'FAILING' }),
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
    expect(forPeople).to.include.members(['payment-created', 'error', 'order-canceled', 'dead-letter']);
  });

  it("[anomaly 12] dead-letters what a service can't process, except at the desk itself", () => {
    for (const [name, { service, topic, deadLetter }] of subscriptions) {
      const expected = service !== undefined && topic !== 'dead-letter' ? 'dead-letter' : undefined;
      expect(deadLetter?.topic, name).to.equal(expected);
      // The runner comes first, because it knows why.
      if (deadLetter) expect(deadLetter.maxDeliveryAttempts, name).to.be.above(DELIVERIES_MAX);
    }
  });
});
