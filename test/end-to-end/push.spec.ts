import { request } from 'node:http';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { loadData } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import { type HostOptions, hostServices } from '../../programs/host.ts';
import { allServices } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { readOne, type Store } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { stock } from '../../shop/stock.ts';
import { SETTINGS } from '../support/builders.ts';
import { dataFor } from '../support/data.ts';
import { emulatedBus, emulatedStore, freshProjectId, requireEmulators } from '../support/emulators.ts';
import { createFaultyStore } from '../support/faulty-store.ts';
import { topology } from '../support/pipeline.ts';
import { shopOfThree } from '../support/shop-of-three.ts';

/** All services in this process, to which messages are pushed. */
async function startPushed(
  ports: Pick<Ports, 'store' | 'bus'> & Partial<Ports>,
  {
    saga = pipeline,
    pushIdentity = 'platform',
  }: { readonly saga?: Saga; readonly pushIdentity?: HostOptions['pushIdentity'] } = {},
) {
  const world: Ports = { clock: systemClock, random: Math.random, newUuid: uuidv4, log: () => {}, ...ports };
  await loadData(saga, world.store, world, dataFor(saga));
  const host = await hostServices(
    saga,
    allServices(saga, world, SETTINGS),
    world,
    { host: '127.0.0.1', port: 0, backend: 'memory', subscriber: 'push', pushIdentity },
    (error) => {
      throw error;
    },
  );
  return {
    host,
    url: `http://127.0.0.1:${host.port}`,
    ledger: (uuid: string) => readOne(world.store, ledgerPath(uuid)),
  };
}

const SUCCESS = pipeline.success;
const push = async (url: string, subscription: string, body: object | string) => {
  const response = await fetch(`${url}/push/${subscription}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};
const wrapped = (data: object, messageId = '1') => ({
  message: { data: Buffer.from(JSON.stringify(data)).toString('base64'), messageId },
  subscription: 'projects/p/subscriptions/s',
});
const order = (uuid: string) => ({ uuid, user: 'jack', item: 'wotsit', quantity: 1 });

describe('A service to which messages are pushed', () => {
  const faulty = createFaultyStore(createMemoryStore());
  let pushed: Awaited<ReturnType<typeof startPushed>>;
  before(async () => {
    const bus = createMemoryBus(topologyOf(shopOfThree), systemClock);
    pushed = await startPushed({ store: faulty, bus }, { saga: shopOfThree });
  });
  after(() => pushed.host.close());

  it('answers 204 once the message is done', async () => {
    const uuid = uuidv4();
    expect(await push(pushed.url, 'frontend-sub', wrapped(order(uuid)))).to.deep.equal({
      status: 204,
      text: '',
    });
    expect(await pushed.ledger(uuid)).to.include({ status: 'CREATED' });
  });

  it('answers 204 where there is nothing to be done: a duplicate, and what is parked', async () => {
    const uuid = uuidv4();
    for (const body of [wrapped(order(uuid)), wrapped(order(uuid)), wrapped({ uuid: 'no' })]) {
      expect((await push(pushed.url, 'frontend-sub', body)).status).to.equal(204);
    }
    expect(await pushed.ledger(uuid)).to.include({ status: 'CREATED' });
  });

  it('answers 503 where the message could not be done, so that it comes again, and then does it', async () => {
    const uuid = uuidv4();
    faulty.poison = (path) => path === ledgerPath(uuid);
    expect((await push(pushed.url, 'frontend-sub', wrapped(order(uuid)))).status).to.equal(503);
    faulty.poison = () => false;
    expect((await push(pushed.url, 'frontend-sub', wrapped(order(uuid)))).status).to.equal(204);
    expect(await pushed.ledger(uuid)).to.include({ status: 'CREATED' });
  });

  it('answers 400 to what is no push, 404 for a subscription that is not pushed here, and 405 to who only looks', async () => {
    expect((await push(pushed.url, 'frontend-sub', 'hello')).status).to.equal(400);
    expect((await push(pushed.url, 'frontend-sub', {})).status).to.equal(400);
    expect((await push(pushed.url, 'payment-created-sub', wrapped({}))).status).to.equal(404);
    expect((await fetch(`${pushed.url}/push/frontend-sub`)).status).to.equal(405);
  });

  it('[anomaly 39] answers 401 without reading the body where the token is missing, and tells people of it', async () => {
    const refusals: object[] = [];
    const guarded = await startPushed(
      {
        store: createMemoryStore(),
        bus: createMemoryBus(topology, systemClock),
        log: (severity, message, fields) => {
          if (message === 'A push was refused') refusals.push({ severity, ...fields });
        },
      },
      {
        pushIdentity: {
          audience: 'https://order.example',
          serviceAccount: 'push@demo.iam.gserviceaccount.com',
        },
      },
    );
    // The body is announced and never sent.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = request(
        {
          port: guarded.host.port,
          method: 'POST',
          path: '/push/frontend-sub',
          headers: { 'content-length': 10_000_000 },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
          sending.destroy();
        },
      );
      sending.on('error', reject);
      sending.flushHeaders();
    });
    expect(status).to.equal(401);
    expect(refusals).to.deep.equal([
      {
        severity: 'WARNING',
        subscription: 'frontend-sub',
        error: 'The request has no token: its Authorization must be "Bearer <token>"',
      },
    ]);
    await guarded.host.close();
  });
});

describe("A pipeline to which Google's emulator pushes", () => {
  it('pays one order and compensates another', async function () {
    const projectId = freshProjectId();
    const store = await emulatedStore(this, projectId);
    const statuses = noteStatuses(store);
    const bus = await emulatedBus(this, topology, projectId);
    const pushed = await startPushed({ store: statuses.store, bus });
    const { pubsubHost } = await requireEmulators(this);
    const served = Object.entries(topology.subscriptions).filter(([, { service }]) => service);
    for (const [name] of served) {
      await fetch(`http://${pubsubHost}/v1/projects/${projectId}/subscriptions/${name}:modifyPushConfig`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ pushConfig: { pushEndpoint: `${pushed.url}/push/${name}` } }),
      });
    }
    const post = async (body: object) => {
      const response = await fetch(`${pushed.url}/order`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return ((await response.json()) as { uuid: string }).uuid;
    };
    const paid = await post({ user: 'jack', item: 'widget', quantity: 2 });
    const failed = await post({ user: 'jack', item: 'widget', quantity: 2, 'payment-error': true });
    await Promise.all([statuses.comesTo(paid, 'DELIVERING'), statuses.comesTo(failed, 'CANCELED')]);
    const word = Buffer.from(JSON.stringify({ uuid: paid, outcome: 'delivered' }));
    await bus.publish([{ topic: 'delivery-updates', data: word, attributes: {} }]);
    await statuses.comesTo(paid, SUCCESS);
    expect(await pushed.ledger(paid)).to.include({ status: SUCCESS });
    expect(await pushed.ledger(failed)).to.include({ status: 'CANCELED', reason: 'PAYMENT_ERROR' });
    expect(await readOne(store, stock.of('widget').path)).to.include({ quantity: 8 });
    await pushed.host.close();
  });
});

/** A store that knows to which status an order has come. */
function noteStatuses(inner: Store) {
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  const store: Store = {
    ...inner,
    async commit(writes) {
      await inner.commit(writes);
      for (const write of writes) {
        const status = 'fields' in write ? (write.fields as Partial<Ledger>).status : undefined;
        if (status === undefined) continue;
        const came = `${write.path} ${status}`;
        seen.add(came);
        waiting.get(came)?.();
      }
    },
  };
  return {
    store,
    comesTo: (uuid: string, status: string) =>
      new Promise<void>((resolve) => {
        const came = `${ledgerPath(uuid)} ${status}`;
        if (seen.has(came)) resolve();
        else waiting.set(came, resolve);
      }),
  };
}
