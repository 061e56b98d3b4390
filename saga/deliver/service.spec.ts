import { expect } from 'chai';
import { z } from 'zod';
import { pipeline } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import { aDelivery, anOrder, LATER, NOW, SETTINGS, UUID } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { route } from '../http/http.ts';
import { beginWait, ledgerPath, receive } from '../ledger/ledger.ts';
import { readOne } from '../ports/store.ts';
import { defineSaga, type Saga } from '../step/saga.ts';
import { accept, stepsFor, wait } from '../step/step.ts';
import { allServices, type ServiceDefinition, serviceNames, serviceOf, topicsBefore } from './service.ts';
import { declareTopology, publishedBy } from './topology.ts';

const told: object[] = [];
/** A saga on the topics of the shop, whose first step notes with which settings it decides. */
const step = stepsFor<Order>();
const first = step({
  name: 'order',
  leadsTo: 'CREATED',
  announces: 'order-created',
  says: 'the order is noted',
  uses: [],
  settings: { LOUDNESS: z.int() },
  reads: () => [],
  decide(_known, _read, settings) {
    told.push(settings);
    return accept({});
  },
  holds: () => [],
});
const second = step({
  name: 'inventory',
  leadsTo: 'RESERVED',
  announces: 'inventory-updated',
  says: 'nothing is reserved',
  uses: [],
  reads: () => [],
  decide: () => accept({}),
  holds: () => [],
});
/** Asks the desk before anything else, and hears it over HTTP or from clerks. */
const ask = step({
  name: 'ask',
  leadsTo: 'ALLOWED',
  announces: 'order-created',
  says: 'the order is allowed',
  uses: [],
  settings: { COLOR: z.string() },
  waits: {
    as: 'ASKED',
    announces: 'asked',
    says: 'the desk is asked',
    words: { yes: {}, no: {} },
    afterwards: 'give up',
    path: 'orders/{uuid}',
    heardBy: 'desk',
    listensTo: { topic: 'clerks', says: 'a clerk has answered' },
    holds: () => [],
  },
  reads: () => [],
  decide: ({ word }) => (word === undefined ? wait(60, {}) : accept({})),
  holds: () => [],
  routes(_store, settings) {
    told.push(settings);
    return [
      route({
        method: 'GET',
        path: '/questions',
        summary: 'What is asked',
        answer: z.string(),
        responses: { 200: 'All of it' },
        handle: async () => ({ status: 200 }),
      }),
    ];
  },
});
const beside = (name: string, ...topics: string[]): ServiceDefinition => ({
  name,
  reads: () => topics,
  publishes: () => [],
  create: (saga, _ports, settings) => {
    told.push(saga, settings);
    return { name, consumers: [], routes: () => [] };
  },
});
const saga: Saga = defineSaga({
  name: 'noting',
  order: pipeline.order,
  entry: pipeline.entry,
  steps: [first, second],
  failure: pipeline.failure,
  end: pipeline.end,
  reasons: ['NO'],
  unknownReason: 'NO',
  services: [beside('desk', 'error'), beside('door'), beside('attic', 'error')],
  subscriptions: {},
});
const asking: Saga = defineSaga({
  ...saga,
  order: pipeline.order,
  steps: [ask, second],
  resumption: { topic: 'order-resumed', says: 'the desk has answered' },
});
const SETTINGS_OF_ALL = { ...SETTINGS, declared: { LOUDNESS: 3, COLOR: 'red' } };

describe('The services of a saga', () => {
  beforeEach(() => {
    told.length = 0;
  });

  it('are its steps in their order, behind the service that takes orders in and before those that read besides', () => {
    expect(serviceNames(saga)).to.deep.equal(['door', 'order', 'inventory', 'desk', 'attic']);
  });

  it('read the topic that announces the step before, and the first one where orders come in', async () => {
    expect([topicsBefore(saga, first), topicsBefore(saga, second)]).to.deep.equal([
      ['frontend'],
      ['order-created'],
    ]);
    const ports = await recordedPorts();
    const consumed = serviceNames(saga).map((name) =>
      serviceOf(saga, name, ports, SETTINGS_OF_ALL).consumers.map(({ topic }) => topic),
    );
    expect(consumed).to.deep.equal([[], ['frontend'], ['order-created'], [], []]);
  });

  it('tell a step its own settings, and a service beside the steps all of them', async () => {
    const ports = await recordedPorts();
    const [consumer] = serviceOf(saga, 'order', ports, SETTINGS_OF_ALL).consumers;
    await consumer?.process([aDelivery({ user: 'jack', item: 'widget', quantity: 2 })]);
    expect(told).to.deep.equal([{ LOUDNESS: 3 }]);
    serviceOf(saga, 'desk', ports, SETTINGS_OF_ALL);
    expect(told.slice(1)).to.deep.equal([saga, SETTINGS_OF_ALL]);
  });

  it('take what has come at once, unless the step is slowed down', async () => {
    for (const [slowDownMs, waitedMs] of [
      [{}, 0],
      [{ inventory: 500 }, 0],
      [{ order: 500 }, 500],
    ] as const) {
      const ports = await recordedPorts();
      const [consumer] = serviceOf(saga, 'order', ports, { ...SETTINGS_OF_ALL, slowDownMs }).consumers;
      const delivery = aDelivery({ user: 'jack', item: 'widget', quantity: 2 });
      await ports.clock.finish(consumer?.process([delivery]) ?? Promise.reject());
      expect(ports.clock.pausesMs).to.deep.equal(waitedMs === 0 ? [] : [waitedMs]);
      expect(ports.published.map(({ attributes }) => attributes['ce-time'])).to.deep.equal([
        new Date(NOW.getTime() + waitedMs).toISOString(),
      ]);
    }
  });

  it('[anomaly 22] take a message without a uuid for an order at the first step only', async () => {
    const ports = await recordedPorts();
    for (const name of ['order', 'inventory']) {
      const [consumer] = serviceOf(saga, name, ports, SETTINGS_OF_ALL).consumers;
      await consumer?.process([aDelivery({ user: 'jack', item: 'widget', quantity: 2 })]);
    }
    expect(ports.logged.map(({ message, detail }) => [message, detail])).to.deep.equal([
      ['order: accepted', undefined],
      ['inventory: parked', 'The message has no uuid'],
    ]);
  });

  it('are all made at once, for a process that hosts them together', async () => {
    const ports = await recordedPorts();
    const made = allServices(saga, ports, SETTINGS_OF_ALL);
    expect(made.map(({ name }) => name)).to.deep.equal(serviceNames(saga));
  });

  it('of a step that waits read besides that the order goes on, and hear words by message', async () => {
    const asked = beginWait(asking, receive(asking, UUID, anOrder(), 'door', NOW, 900), {
      ...{ step: 'ask', by: 'ask', learned: {}, until: LATER, now: NOW },
    });
    const ports = await recordedPorts({ [ledgerPath(UUID)]: asked });
    const { consumers } = serviceOf(asking, 'ask', ports, SETTINGS_OF_ALL);
    expect(consumers.map(({ topic }) => topic)).to.deep.equal(['frontend', 'order-resumed', 'clerks']);
    const word = aDelivery({ uuid: UUID, outcome: 'yes' });
    await consumers.find(({ topic }) => topic === 'clerks')?.process([word]);
    expect([word.settled, ports.logged.map(({ message }) => message)]).to.deep.equal([
      'acked',
      ['ask: accepted'],
    ]);
    expect(await readOne(ports.store, ledgerPath(UUID))).to.include({ status: 'ALLOWED' });
  });

  it('answer over HTTP what a step declares, and hear words for the steps that name them', async () => {
    const ports = await recordedPorts();
    const routesOf = (name: string) =>
      serviceOf(asking, name, ports, SETTINGS_OF_ALL)
        .routes()
        .map(({ path }) => path);
    told.length = 0;
    expect(['ask', 'inventory', 'desk', 'door'].map(routesOf)).to.deep.equal([
      ['/questions'],
      [],
      ['/orders/{uuid}/yes', '/orders/{uuid}/no'],
      [],
    ]);
    expect(told[0]).to.deep.equal({ COLOR: 'red' });
  });

  it('[anomaly 26] are not made under a name that the saga does not have', async () => {
    const ports = await recordedPorts();
    expect(() => serviceOf(saga, 'delivery', ports, SETTINGS)).to.throw(
      'noting has no service delivery; it has door, order, inventory, desk, attic',
    );
  });

  it('go on to read each subscription that they once had, whichever step is put in front of them', () => {
    const late = (name: string) => ({
      ...second,
      name,
      leadsTo: name.toUpperCase(),
      announces: `${name}-done`,
    });
    const longer: Saga = defineSaga({
      ...saga,
      order: pipeline.order,
      steps: [first, late('latest'), late('later'), second],
      subscriptions: { 'order-created-sub': 'inventory', 'order-created-later-sub': 'later' },
    });
    const readBy = (service: string) =>
      Object.entries(declareTopology(longer).subscriptions).flatMap(([name, one]) =>
        one.service === service ? [name] : [],
      );
    expect(['latest', 'later', 'inventory'].map(readBy)).to.deep.equal([
      ['order-created-latest-sub'],
      ['order-created-later-sub', 'latest-done-later-sub'],
      ['order-created-sub', 'later-done-inventory-sub'],
    ]);
  });

  it('announce an order that has no ledger to the step that was put in front of them', async () => {
    const earlier = { ...first, name: 'greeting', leadsTo: 'GREETED', announces: 'greeted', settings: {} };
    const longer: Saga = defineSaga({
      ...saga,
      order: pipeline.order,
      steps: [earlier, first, second],
      subscriptions: { 'frontend-sub': 'order' },
    });
    const ports = await recordedPorts();
    const { consumers } = serviceOf(longer, 'order', ports, SETTINGS_OF_ALL);
    expect(consumers.map(({ topic }) => topic)).to.deep.equal(['greeted', 'frontend']);
    const delivery = aDelivery({ user: 'jack', item: 'widget', quantity: 2 });
    await consumers[1]?.process([delivery]);
    expect([delivery.settled, ports.logged.map(({ message }) => message)]).to.deep.equal([
      'acked',
      ['order: accepted'],
    ]);
    expect(
      ports.published.map(({ topic, data }) => [topic, JSON.parse(data.toString()).status]),
    ).to.deep.equal([['frontend', 'RECEIVED']]);
    expect(
      ['greeting', 'order'].filter((name) => publishedBy(longer, name).includes('frontend')),
    ).to.deep.equal(['order']);
  });
});
