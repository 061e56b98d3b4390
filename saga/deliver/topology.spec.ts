import { expect } from 'chai';
import { deepFreeze } from '../../test/support/deep-freeze.ts';
import { parseTopology, subscriptionOf } from './topology.ts';

const policy = {
  ackDeadlineSeconds: 60,
  retentionDays: 7,
  retry: { minBackoffSeconds: 1, maxBackoffSeconds: 60 },
};
const declaration = {
  topics: { orders: 'an order was placed', 'dead-letter': 'a message could not be processed' },
  keptForRestore: ['orders'],
  policies: {
    service: { ...policy, deadLetter: { topic: 'dead-letter', maxDeliveryAttempts: 5 } },
    people: policy,
  },
  subscriptions: {
    'orders-sub': { topic: 'orders', policy: 'service', service: 'order' },
    'orders-cli-sub': { topic: 'orders', policy: 'people' },
  },
};
const faultsOf = (wrong: unknown): string[] => {
  try {
    parseTopology(deepFreeze(wrong));
  } catch (error) {
    const [heading, ...faults] = (error as Error).message.split('\n');
    expect(heading).to.equal('infra/topology.json is wrong:');
    return faults.map((fault) => fault.trim());
  }
  return [];
};

describe('A topology', () => {
  it('gives each subscription the settings of its policy', () => {
    expect(parseTopology(deepFreeze(declaration))).to.deep.equal({
      topics: ['orders', 'dead-letter'],
      subscriptions: {
        'orders-sub': {
          topic: 'orders',
          service: 'order',
          ...policy,
          deadLetter: { topic: 'dead-letter', maxDeliveryAttempts: 5 },
        },
        'orders-cli-sub': { topic: 'orders', ...policy },
      },
    });
  });

  it('[anomaly 26] names everything that is not declared', () => {
    const { topics, policies, subscriptions } = declaration;
    const misspelt = {
      topics,
      keptForRestore: ['ordres'],
      policies: {
        ...policies,
        service: { ...policies.service, deadLetter: { topic: 'dead-leter', maxDeliveryAttempts: 5 } },
      },
      subscriptions: {
        ...subscriptions,
        a: { topic: 'order', policy: 'people' },
        b: { topic: 'orders', policy: 'peopel' },
      },
    };
    expect(faultsOf(misspelt)).to.deep.equal([
      'keptForRestore: topic ordres is not declared',
      'policies.service: topic dead-leter is not declared',
      'subscriptions.a: topic order is not declared',
      'subscriptions.b: policy peopel is not declared',
    ]);
  });

  it("[anomaly 26] names every field that is missing, unknown or out of Pub/Sub's bounds", () => {
    const wrong = {
      topics: declaration.topics,
      keptForRestore: declaration.keptForRestore,
      policies: {
        service: {
          ackDeadlineSeconds: 9,
          pushDeadlineSeconds: 601,
          retentionDays: 32,
          retry: { minBackoffSeconds: -1 },
          deadLetter: { topic: 'dead-letter', maxDeliveryAttempts: 4 },
        },
      },
      subscriptions: { 'orders-sub': { topic: 'orders', policy: 'service', servise: 'order' } },
    };
    expect(faultsOf(wrong).map((fault) => fault.split(':')[0])).to.deep.equal([
      'policies.service.ackDeadlineSeconds',
      'policies.service.pushDeadlineSeconds',
      'policies.service.retentionDays',
      'policies.service.retry.minBackoffSeconds',
      'policies.service.retry.maxBackoffSeconds',
      'policies.service.deadLetter.maxDeliveryAttempts',
      'subscriptions.orders-sub',
    ]);
  });

  for (const wrong of [null, [], 'topology', {}]) {
    it(`[anomaly 26] is not ${JSON.stringify(wrong)}`, () => {
      expect(faultsOf(wrong)).not.to.deep.equal([]);
    });
  }

  it('tells by which subscription a service reads a topic', () => {
    const topology = parseTopology(declaration);
    expect(subscriptionOf(topology, 'order', 'orders')).to.equal('orders-sub');
    expect(() => subscriptionOf(topology, 'inventory', 'orders')).to.throw(
      'inventory reads the topic orders, but no subscription says so',
    );
    expect(() => subscriptionOf(topology, 'order', 'dead-letter')).to.throw(
      'order reads the topic dead-letter, but no subscription says so',
    );
  });
});
