import type { AddressInfo } from 'node:net';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { registerFunction } from '../../adapters/push/functions.ts';
import { loadData } from '../../data-init/load-data.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { readersOf, topologyOf } from '../../saga/deliver/topology.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { readOne } from '../../saga/ports/store.ts';
import { aLedger, SETTINGS } from '../support/builders.ts';
import { type Child, runProgram } from '../support/child.ts';
import { dataFor } from '../support/data.ts';
import { topology } from '../support/pipeline.ts';
import { type RecordedPorts, recordedPorts } from '../support/recorded-ports.ts';
import { type RecordedTelemetry, recordedTelemetry } from '../support/recorded-telemetry.ts';
import { shopOfThree } from '../support/shop-of-three.ts';
import { sampled } from '../support/thorough.ts';

interface Posted {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly path?: string;
}

describe('A service as a Cloud Run function', () => {
  let ports: RecordedPorts;
  let telemetry: RecordedTelemetry;
  let refuse: string | undefined;
  const servers = new Map<string, ReturnType<typeof getTestServer>>();
  before(async () => {
    ports = await recordedPorts();
    await loadData(shopOfThree, ports.store, ports, dataFor(shopOfThree));
    telemetry = recordedTelemetry();
    for (const service of allServices(shopOfThree, telemetry.ports(ports), SETTINGS)) {
      registerFunction(service, topologyOf(shopOfThree), async () => refuse, ports, telemetry);
    }
    for (const target of ['order', 'janitor']) await open(target);
  });
  async function open(target: string): Promise<void> {
    const server = getTestServer(target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.set(target, server);
  }
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
  const ledger = (uuid: string) => readOne(ports.store, ledgerPath(uuid));

  /** An order in each of the forms in which it may come, and the headers that go with it. */
  const { attributes } = messageFor(shopOfThree, aLedger());
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
  const forms: readonly (readonly [form: string, of: (order: object) => Posted])[] = [
    ['a wrapped push', (order) => ({ body: JSON.stringify(wrapped(order)) })],
    [
      'a push without its wrapping',
      (order) => ({
        headers: { 'x-goog-pubsub-message-id': '1', ...attributes },
        body: JSON.stringify(order),
      }),
    ],
    ['an event', (order) => ({ headers: event, body: JSON.stringify(wrapped(order)) })],
    [
      'a structured event',
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
      (order) => ({ headers: { ...attributes }, body: JSON.stringify(order) }),
    ],
  ];
  for (const [form, of] of forms) {
    it(`does what comes as ${form}, once`, async () => {
      const uuid = uuidv4();
      const posted = of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 });
      expect([await post('order', posted), await post('order', posted)]).to.deep.equal([204, 204]);
      expect((await ledger(uuid))?.history).to.have.length(2);
    });

    it(`answers 503 to what comes as ${form} and can't be done now, so that it comes again`, async () => {
      const uuid = uuidv4();
      ports.store.poison = (path) => path === ledgerPath(uuid);
      const posted = of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 });
      expect(await post('order', posted)).to.equal(503);
      ports.store.poison = () => false;
      expect(await post('order', posted)).to.equal(204);
      expect(await ledger(uuid)).to.include({ status: 'CREATED' });
    });

    it(`[anomaly 39] refuses what comes as ${form} where the token is not good`, async () => {
      refuse = 'There is no bearer token';
      const uuid = uuidv4();
      expect(await post('order', of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 }))).to.equal(401);
      expect(await ledger(uuid)).to.equal(undefined);
    });

    it(`shows what comes as ${form} in the trace of its order, and the request by its route`, async () => {
      const before = telemetry.spans().length;
      const uuid = uuidv4();
      await post('order', of({ uuid, user: 'jack', item: 'wotsit', quantity: 1 }));
      // Once all connections are done, so are all spans.
      await new Promise((resolve) => servers.get('order')?.close(resolve));
      await open('order');
      const spans = telemetry.spans().slice(before);
      const request = spans.find(({ name }) => name === 'POST /push/{subscription}');
      expect(request?.attributes).to.deep.equal({
        'http.request.method': 'POST',
        'http.response.status_code': 204,
        'http.route': '/push/{subscription}',
      });
      const delivery = spans.find(({ name }) => name === 'order accepted');
      expect(delivery?.attributes).to.include({ 'saga.uuid': uuid });
      const { trace } = (await ledger(uuid)) ?? {};
      expect(delivery?.spanContext().traceId).to.equal(trace?.split('-')[1]);
    });
  }

  it('[anomaly 22] answers 400 to what is neither push nor event', async () => {
    const structured = { 'content-type': 'application/cloudevents+json' };
    for (const posted of [
      {},
      { body: '{"hello":"world"}' },
      { headers: event, body: '{"hello":"world"}' },
      { headers: structured, body: '{"source":{"toString":1,"valueOf":1}}' },
      { headers: structured, body: 'null' },
    ]) {
      expect(await post('order', posted)).to.equal(400);
    }
  });

  it('finds the subscription of a service with several by the path, or by the topic of the event', async () => {
    const uuid = uuidv4();
    const body = JSON.stringify(wrapped({ uuid, reason: 'PAYMENT_ERROR' }));
    expect(await post('janitor', { body })).to.equal(404);
    // A dead letter has the attributes of the message that it was: its type says nothing of how it comes.
    const type = { 'x-goog-pubsub-message-id': '1', 'ce-type': 'order-saga.error' };
    expect(await post('janitor', { headers: type, body })).to.equal(404);
    expect(await ledger(uuid)).to.equal(undefined);
    expect(await post('janitor', { path: '/push/error-sub/', body })).to.equal(204);
    expect(await ledger(uuid)).to.include({ status: 'CANCELED' });
    const other = uuidv4();
    const source = { ...event, 'ce-source': '//pubsub.googleapis.com/projects/p/topics/error' };
    const tombstone = JSON.stringify(wrapped({ uuid: other, reason: 'PAYMENT_ERROR' }));
    expect(await post('janitor', { headers: source, body: tombstone })).to.equal(204);
    expect(await ledger(other)).to.include({ status: 'CANCELED' });
  });

  it('[anomaly 39] refuses what is said to come by a subscription or from a topic that the service does not read', async () => {
    const uuid = uuidv4();
    const body = JSON.stringify(wrapped({ uuid, user: 'jack', item: 'wotsit', quantity: 1 }));
    const foreign = { ...event, 'ce-source': '//pubsub.googleapis.com/projects/p/topics/error' };
    for (const path of ['/error-sub', '/error-sub/', '/push/error-sub']) {
      expect(await post('order', { path, body })).to.equal(404);
    }
    expect(await post('order', { headers: foreign, body })).to.equal(404);
    expect(await ledger(uuid)).to.equal(undefined);
  });

  it('answers who only looks, without failing', async () => {
    expect((await fetch(urlOf('order'))).status).to.equal(405);
  });
});

describe('The function of a service', () => {
  /** Who reads nothing from the bus is no function. */
  const readers = readersOf(topology);
  let child: Child | undefined;
  afterEach(async () => {
    child?.process.kill('SIGKILL');
    await child?.exited;
  });

  for (const service of readers.slice(0, sampled(readers.length, 2))) {
    it(`is found by the framework's own program: ${service}`, async () => {
      child = runFramework(service);
      await child.line(/Signature type: http/);
    });
  }

  for (const target of ['inventories', 'frontend', '']) {
    it(`[anomaly 26] does not start as ${target || 'nothing'}, and names what it can be`, async () => {
      child = runFramework(target);
      expect(await child.exited).to.equal(1);
      expect(child.output()).to.contain(
        `FUNCTION_TARGET must name a service that reads messages: ${readers.join(', ')}\n`,
      );
    });
  }
});

/** Google's own program, which loads ours. */
function runFramework(service: string): Child {
  const framework = '../node_modules/@google-cloud/functions-framework/build/src/main.js';
  const flags = [
    '--source=programs/function.js',
    // As gcloud says it where events come.
    '--signature-type=cloudevent',
    '--port=0',
  ];
  return runProgram(framework, flags, {
    FUNCTION_TARGET: service,
    PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
    FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
    PUSH_AUTH: 'platform',
    PROJECT_ID: 'demo-saga',
  });
}
