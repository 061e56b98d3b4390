import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import { DEAD_LETTER_TOPIC, defineSaga, type Saga } from '../step/saga.ts';
import { accept, type Step, stepsFor } from '../step/step.ts';
import { type ServiceDefinition, serviceNames } from './service.ts';
import { declareTopology, publishedBy, subscriptionOf, topologyOf } from './topology.ts';

/** A step that always passes and holds nothing. */
const passing = (name: string, leadsTo: string, announces: string): Step =>
  stepsFor<Order>()({
    name,
    leadsTo,
    announces,
    says: `${name} is done`,
    uses: [],
    reads: () => [],
    decide: () => accept({}),
    holds: () => [],
  });

const service = (
  name: string,
  { reads = () => [], publishes = () => [] }: Partial<Pick<ServiceDefinition, 'reads' | 'publishes'>>,
): ServiceDefinition => ({
  name,
  reads,
  publishes,
  create: () => ({ name, consumers: [], routes: () => [] }),
});

const pack = passing('pack', 'PACKED', 'packed');
const ship = passing('ship', 'SHIPPED', 'shipped');
const door = service('door', { publishes: ({ entry }) => [entry.topic] });
const desk = service('desk', {
  reads: ({ failure }) => [failure.topic, DEAD_LETTER_TOPIC],
  publishes: ({ end }) => [end.topic],
});

/** A saga that packs and ships, or does what `steps` say. */
const parcels = (
  steps: readonly Step[] = [pack, ship],
  services: readonly ServiceDefinition[] = [door, desk],
): Saga =>
  defineSaga({
    name: 'parcels',
    order: pipeline.order,
    entry: { topic: 'orders', says: 'an order came' },
    // The compiler checks only lists whose members it knows one by one.
    steps: steps as readonly [],
    failure: { topic: 'failed', says: 'the order fails' },
    end: { topic: 'given-up', says: 'the order is canceled' },
    reasons: ['NO'],
    unknownReason: 'NO',
    services,
    subscriptions: {
      'orders-sub': 'pack',
      'packed-sub': 'ship',
      'shipped-sub': 'people',
      'failed-sub': 'desk',
      'dead-letter-sub': 'desk',
    },
  });

/** Who reads which topic by which subscription: `{subscription} {topic} {reader}`. */
const readersOf = (saga: Saga) =>
  Object.entries(declareTopology(saga).subscriptions).map(
    ([name, { topic, service = 'people' }]) => `${name} ${topic} ${service}`,
  );

describe('The topology of a saga', () => {
  it('is what its steps and services say', () => {
    const { policies: _, ...declared } = declareTopology(parcels());
    const people = (topic: string) => ({ topic, policy: 'people' });
    expect(declared).to.deep.equal({
      topics: {
        orders: 'an order came',
        packed: 'pack is done',
        shipped: 'ship is done',
        failed: 'the order fails',
        'given-up': 'the order is canceled',
        'dead-letter': 'a message could not be processed',
      },
      announcing: ['orders', 'packed', 'shipped', 'failed', 'given-up'],
      keptForRestore: ['orders', 'failed'],
      subscriptions: {
        'orders-sub': { topic: 'orders', policy: 'service', service: 'pack' },
        'packed-sub': { topic: 'packed', policy: 'service', service: 'ship' },
        'shipped-sub': people('shipped'),
        'failed-sub': { topic: 'failed', policy: 'service', service: 'desk' },
        'failed-cli-sub': people('failed'),
        'given-up-sub': people('given-up'),
        'dead-letter-sub': { topic: 'dead-letter', policy: 'desk', service: 'desk' },
        'dead-letter-cli-sub': people('dead-letter'),
      },
    });
    expect(serviceNames(parcels()).map((name) => [name, publishedBy(parcels(), name)])).to.deep.equal([
      ['door', ['orders']],
      ['pack', ['packed', 'failed', 'dead-letter']],
      ['ship', ['shipped', 'failed', 'dead-letter']],
      ['desk', ['given-up']],
    ]);
  });

  it("[anomaly 26] has policies within Pub/Sub's bounds, and none names a topic that is not there", () => {
    const { policies, topics } = declareTopology(parcels());
    for (const [name, policy] of Object.entries(policies)) {
      expect(policy.ackDeadlineSeconds, name).to.be.within(10, 600);
      if ('pushDeadlineSeconds' in policy) expect(policy.pushDeadlineSeconds, name).to.be.within(10, 600);
      expect(policy.retentionDays, name).to.be.within(1, 31);
      expect(policy.retry.minBackoffSeconds, name).to.be.within(0, policy.retry.maxBackoffSeconds);
      expect(policy.retry.maxBackoffSeconds, name).to.be.within(0, 600);
      if (!('deadLetter' in policy)) continue;
      expect(policy.deadLetter.maxDeliveryAttempts, name).to.be.within(5, 100);
      expect(topics).to.have.property(policy.deadLetter.topic);
    }
  });

  it('gives each subscription the settings of its policy', () => {
    const { policies, subscriptions } = declareTopology(parcels());
    const topology = topologyOf(parcels());
    expect(topology.topics).to.deep.equal(Object.keys(declareTopology(parcels()).topics));
    expect(Object.keys(topology.subscriptions)).to.deep.equal(Object.keys(subscriptions));
    expect(topology.subscriptions).to.deep.include({
      'orders-sub': { topic: 'orders', service: 'pack', ...policies.service },
      'dead-letter-sub': { topic: 'dead-letter', service: 'desk', ...policies.desk },
      'failed-cli-sub': { topic: 'failed', ...policies.people },
    });
  });

  it('tells by which subscription a service reads a topic', () => {
    const topology = topologyOf(parcels());
    expect(subscriptionOf(topology, 'pack', 'orders')).to.equal('orders-sub');
    expect(() => subscriptionOf(topology, 'ship', 'orders')).to.throw(
      'ship reads the topic orders, but no subscription says so',
    );
    expect(() => subscriptionOf(topology, 'pack', 'dead-letter')).to.throw(
      'pack reads the topic dead-letter, but no subscription says so',
    );
  });
});

describe('A subscription', () => {
  it('[anomaly 38] never changes its reader where a step is put between others: the newcomer gets its own', () => {
    const weigh = passing('weigh', 'WEIGHED', 'weighed');
    const readers = readersOf(parcels([pack, weigh, ship]));
    expect(readers.filter((line) => / (packed|weighed) /.test(line))).to.deep.equal([
      'packed-weigh-sub packed weigh',
      // What still waits there is for its old reader, which has nothing to do with it any more.
      'packed-sub packed ship',
      'weighed-ship-sub weighed ship',
    ]);
    expect(readers).to.include.members(readersOf(parcels()).filter((line) => !line.includes(' packed ')));
  });

  it('[anomaly 38] stays with people where a step follows on their topic', () => {
    const readers = readersOf(parcels([pack, ship, passing('thank', 'THANKED', 'thanked')]));
    expect(readers.filter((line) => / (shipped|thanked) /.test(line))).to.deep.equal([
      'shipped-thank-sub shipped thank',
      'shipped-sub shipped people',
      'thanked-sub thanked people',
    ]);
    expect(readers).to.include.members(readersOf(parcels()));
  });

  it('[anomaly 38] is one for each service that reads the topic, so that none takes a message away from another', () => {
    const mirror = service('mirror', { reads: ({ entry, failure }) => [entry.topic, failure.topic] });
    const readers = readersOf(parcels([pack, ship], [door, desk, mirror]));
    expect(readers.filter((line) => line.endsWith(' mirror'))).to.deep.equal([
      'orders-mirror-sub orders mirror',
      'failed-mirror-sub failed mirror',
    ]);
    expect(readers).to.include.members(readersOf(parcels()));
  });

  it('[anomaly 25] is there for people wherever no service listens, and never under the name of another', () => {
    expect(readersOf(parcels([pack, ship], [door, service('desk', {})]))).to.deep.equal([
      'orders-sub orders pack',
      'packed-sub packed ship',
      'shipped-sub shipped people',
      'failed-cli-sub failed people',
      'given-up-sub given-up people',
      'dead-letter-cli-sub dead-letter people',
    ]);
  });
});
