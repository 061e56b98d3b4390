import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { registerFunctions } from '../adapters/functions.ts';
import { loadData } from '../data-init/load-data.ts';
import { allServices } from '../infra/services.ts';
import { sagaPath } from '../saga/ledger.ts';
import { messageFor } from '../saga/message.ts';
import { readOne } from '../saga/store.ts';
import { aSaga, SETTINGS } from './builders.ts';
import { type Child, runProgram } from './child.ts';
import { DATA, topology } from './pipeline.ts';
import { type RecordedPorts, recordedPorts } from './recorded-ports.ts';

interface Posted {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly path?: string;
}

describe('A service as Cloud Run functions', () => {
  let ports: RecordedPorts;
  let refuse: string | undefined;
  const servers = new Map<string, ReturnType<typeof getTestServer>>();
  before(async () => {
    ports = await recordedPorts();
    await loadData(ports.store, ports, DATA);
    for (const service of allServices(ports, SETTINGS)) {
      registerFunctions(service, topology, async () => refuse, ports);
    }
    for (const target of ['order', 'order-event', 'janitor', 'janitor-event']) {
      const server = getTestServer(target);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.set(target, server);
    }
  });
  after(() => {
    for (const server of servers.values()) server.close();
  });
  afterEach(() => {
    refuse = undefined;
    ports.store.poison = () => false;
  });

  function urlOf(target: string): string {
    const { port } = (servers.get(target) as ReturnType<typeof getTestServer>).address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async function post(target: string, { headers = {}, body, path = '/' }: Posted) {
    const response = await fetch(`${urlOf(target)}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body }),
    });
    return response.status;
  }
  const ledger = (uuid: string) => readOne(ports.store, sagaPath(uuid));

  /** An order in each of the forms in which it may come, and the headers that go with it. */
  const { attributes } = messageFor(aSaga());
  const event = {
    'ce-id': 'event-1',
    'ce-specversion': '1.0',
    'ce-type': 'google.cloud.pubsub.topic.v1.messagePublished',
    'ce-source': '//pubsub.googleapis.com/projects/p/topics/frontend',
  };
  const wrapped = (order: object) => ({
    message: { data: Buffer.from(JSON.stringify(order)).toString('base64'), attributes, messageId: '1' },
    subscription: 'projects/p/subscriptions/s',
    deliveryAttempt: 2,
  });
  const forms: readonly (readonly [form: string, target: string, of: (order: object) => Posted])[] = [
    ['a wrapped push', 'order', (order) => ({ body: JSON.stringify(wrapped(order)) })],
    [
      'a push without its wrapping',
      'order',
      (order) => ({
        headers: { 'x-goog-pubsub-message-id': '1', ...attributes },
        body: JSON.stringify(order),
      }),
    ],
    [
      'a wrapped push to the event target',
      'order-event',
      (order) => ({ body: JSON.stringify(wrapped(order)) }),
    ],
    ['an event', 'order-event', (order) => ({ headers: event, body: JSON.stringify(wrapped(order)) })],
    [
      'a structured event',
      'order-event',
      (order) => ({
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({
          specversion: '1.0',
          id: 'event-1',
          type: event['ce-type'],
          source: event['ce-source'],
          data: wrapped(order),
        }),
      }),
    ],
    [
      'an event that is our own message',
      'order-event',
      (order) => ({ headers: { ...attributes }, body: JSON.stringify(order) }),
    ],
  ];
  for (const [form, target, of] of forms) {
    it(`does what comes as ${form}, once`, async () => {
      const uuid = uuidv4();
      const posted = of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 });
      expect([await post(target, posted), await post(target, posted)]).to.deep.equal([204, 204]);
      expect((await ledger(uuid))?.history).to.have.length(2);
    });

    it(`answers an error to what comes as ${form} and can't be done now, so that it comes again`, async () => {
      const uuid = uuidv4();
      ports.store.poison = (path) => path === sagaPath(uuid);
      const posted = of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 });
      expect(await post(target, posted)).to.be.within(500, 503);
      ports.store.poison = () => false;
      expect(await post(target, posted)).to.equal(204);
      expect(await ledger(uuid)).to.include({ status: 'CREATED' });
    });
  }

  it('[anomaly 22] parks an event that is no message', async () => {
    const before = ports.published.length;
    expect(await post('order-event', { headers: event, body: '{"hello":"world"}' })).to.equal(204);
    expect(ports.published.slice(before).map(({ topic }) => topic)).to.deep.equal(['dead-letter']);
  });

  it('finds the subscription of a service with several by the path, or by the topic of the event', async () => {
    const uuid = uuidv4();
    const body = JSON.stringify(wrapped({ uuid, reason: 'PAYMENT_ERROR' }));
    expect(await post('janitor', { body })).to.equal(404);
    expect(await post('janitor', { path: '/push/error-sub', body })).to.equal(204);
    expect(await ledger(uuid)).to.include({ status: 'CANCELED' });
    const other = uuidv4();
    const source = { ...event, 'ce-source': '//pubsub.googleapis.com/projects/p/topics/error' };
    const tombstone = JSON.stringify(wrapped({ uuid: other, reason: 'PAYMENT_ERROR' }));
    expect(await post('janitor-event', { headers: source, body: tombstone })).to.equal(204);
    expect(await ledger(other)).to.include({ status: 'CANCELED' });
  });

  it('[anomaly 39] refuses a push whose token is not good', async () => {
    refuse = 'There is no bearer token';
    const uuid = uuidv4();
    const body = JSON.stringify(wrapped({ uuid, user: 'jack', item: 'wotsit', quantity: 1 }));
    expect(await post('order', { body })).to.equal(401);
    expect(await ledger(uuid)).to.equal(undefined);
  });

  it('answers who only looks, without failing', async () => {
    expect((await fetch(urlOf('order'))).status).to.equal(405);
  });
});

describe('The functions of a service', () => {
  let child: Child | undefined;
  afterEach(async () => {
    child?.process.kill('SIGKILL');
    await child?.exited;
  });

  for (const service of ['order', 'inventory', 'payments', 'janitor']) {
    it(`are found by the framework's own program: ${service}`, async () => {
      const framework = '../node_modules/@google-cloud/functions-framework/build/src/main.js';
      const flags = [
        `--source=${service}/functions.js`,
        `--target=${service}`,
        '--signature-type=http',
        '--port=0',
      ];
      child = runProgram(framework, flags, {
        PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
        FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
        PUSH_AUTH: 'platform',
        PROJECT_ID: 'demo-saga',
      });
      await child.line(/Serving function/);
    });
  }
});
