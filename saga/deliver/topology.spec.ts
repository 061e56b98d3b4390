import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import { DEAD_LETTER_TOPIC, defineSaga, type Saga } from '../step/saga.ts';
import { accept, type Step, stepsFor, wait } from '../step/step.ts';
import { type ServiceDefinition, serviceNames } from './service.ts';
import {
  declareTopology,
  publishedBy,
  readersOf as servicesReading,
  subscriptionFor,
  subscriptionOf,
  topologyOf,
} from './topology.ts';

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

  it('has a topic for all that an order may do besides, and each service publishes what its orders may come to', () => {
    const waiting = {
      ...{ uses: [], reads: () => [], decide: () => wait(60, {}), holds: () => [] },
      says: 'somebody has answered',
    };
    const words = {
      words: { yes: {} },
      afterwards: 'give up',
      path: 'orders/{uuid}',
      holds: () => [],
    } as const;
    const weigh = stepsFor<Order>()({
      ...waiting,
      ...{ name: 'weigh', leadsTo: 'WEIGHED', announces: 'weighed' },
      waits: {
        ...{ ...words, as: 'ASKED', announces: 'asked', says: 'the desk is asked', heardBy: 'desk' },
        listensTo: { topic: 'scales', says: 'a scale has moved' },
      },
    });
    const stamp = stepsFor<Order>()({
      ...waiting,
      ...{ name: 'stamp', leadsTo: 'STAMPED', announces: 'stamped' },
      waits: { ...words, as: 'SENT', announces: 'sent', says: 'the post is asked' },
    });
    const saga: Saga = defineSaga({
      ...parcels(),
      order: pipeline.order,
      steps: [weigh, pack, stamp, ship],
      services: [door, desk, service('guide', { reads: () => ['workflow'] })],
      subscriptions: {},
      resumption: { topic: 'resumed', says: 'it goes on' },
      pause: { topic: 'paused', says: 'it is stopped' },
      workflow: { topic: 'workflow', says: 'the next step is due' },
    });
    const { topics, announcing } = declareTopology(saga);
    expect(topics).to.deep.equal({
      orders: 'an order came',
      asked: 'the desk is asked',
      weighed: 'somebody has answered',
      packed: 'pack is done',
      sent: 'the post is asked',
      stamped: 'somebody has answered',
      shipped: 'ship is done',
      resumed: 'it goes on',
      paused: 'it is stopped',
      workflow: 'the next step is due',
      scales: 'a scale has moved',
      failed: 'the order fails',
      'given-up': 'the order is canceled',
      'dead-letter': 'a message could not be processed',
    });
    // What a scale says is no status of an order.
    expect(announcing).to.deep.equal(
      Object.keys(topics).filter((topic) => !['scales', 'dead-letter'].includes(topic)),
    );
    expect(readersOf(saga)).to.deep.equal([
      'orders-weigh-sub orders weigh',
      'asked-sub asked people',
      'weighed-pack-sub weighed pack',
      'packed-stamp-sub packed stamp',
      'sent-sub sent people',
      'stamped-ship-sub stamped ship',
      'shipped-sub shipped people',
      'resumed-weigh-sub resumed weigh',
      'resumed-stamp-sub resumed stamp',
      'paused-sub paused people',
      // An orchestrated order goes on by no other topic.
      'workflow-guide-sub workflow guide',
      'scales-weigh-sub scales weigh',
      'failed-desk-sub failed desk',
      'failed-sub failed people',
      'given-up-sub given-up people',
      'dead-letter-desk-sub dead-letter desk',
      'dead-letter-sub dead-letter people',
    ]);
    expect(serviceNames(saga).map((name) => [name, publishedBy(saga, name)])).to.deep.equal([
      ['door', ['orders', 'workflow']],
      // Its first step may leave an orchestrated order standing, and whoever hears a word, too.
      ['weigh', ['asked', 'weighed', 'workflow', 'failed', 'dead-letter']],
      ['pack', ['packed', 'failed', 'dead-letter']],
      ['stamp', ['sent', 'stamped', 'resumed', 'workflow', 'failed', 'dead-letter']],
      ['ship', ['shipped', 'failed', 'dead-letter']],
      ['desk', ['given-up', 'resumed', 'workflow']],
      ['guide', []],
    ]);
    expect(publishedBy(saga, 'stranger')).to.deep.equal([]);
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

describe('A topology', () => {
  const topology = topologyOf(parcels());

  it('names the services that read messages, each once', () => {
    expect(servicesReading(topology)).to.deep.equal(['pack', 'ship', 'desk']);
  });

  it('tells by which subscription a topic is seen: that of a service if one reads it', () => {
    const seenBy = (topic: string) => subscriptionFor(topology, topic);
    expect(['orders', 'failed', 'given-up'].map(seenBy)).to.deep.equal([
      'orders-sub',
      'failed-sub',
      'given-up-sub',
    ]);
    const turned = Object.fromEntries(Object.entries(topology.subscriptions).reverse());
    expect(subscriptionFor({ ...topology, subscriptions: turned }, 'failed')).to.equal('failed-sub');
    expect(() => seenBy('letters')).to.throw('The topic letters has no subscription');
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
