import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { readTopology } from '../../adapters/config.ts';
import { receive, type Saga, sagaPath } from '../../saga/ledger.ts';
import { messageFor } from '../../saga/message.ts';
import { readOne } from '../../saga/store.ts';
import { freshProjectId, requireEmulators } from '../emulators.ts';
import type { PlannedOrder } from './orders.ts';
import { runChaos, wrongTermination } from './run.ts';
import { openScene, type Scene } from './scene.ts';
import { until } from './until.ts';

/**
 * The pipeline as it runs: Google's emulators, each service its own process, and what goes wrong between them. The same
 * at length, with thousands of orders: npm run chaos.
 */

const topology = readTopology();
/** Far more than anything here takes, on any machine: a test that gets there has failed. */
const LIMIT_MS = 240_000;
const WIDGETS = 1_000_000;
const NOTHING = { lost: [], wrong: [] };

const ORDER: PlannedOrder = {
  order: { user: 'jack', items: [{ item: 'widget', quantity: 1 }] },
  by: 'http',
  posts: 1,
};

describe('A pipeline of processes', () => {
  let scene: Scene;
  before(async function () {
    const emulators = await requireEmulators(this);
    scene = await openScene({
      ...emulators,
      projectId: freshProjectId(),
      topology,
      data: {
        users: { jack: { address: '1 Hill Road' } },
        inventory: { widget: { quantity: WIDGETS, price_per_unit: 10 } },
      },
      quietSeconds: 1,
      quietLimitSeconds: 120,
      environment: {
        SWEEP_INTERVAL_SECONDS: '1',
        // The first re-drive comes after an eighth of it.
        SAGA_DEADLINE_SECONDS: '40',
        STORE_TIMEOUT_MS: '400',
        PUBLISH_TIMEOUT_MS: '1000',
      },
    });
  });
  after(async function () {
    this.timeout(LIMIT_MS);
    await scene?.close();
  });

  const placeMany = (count: number) =>
    Promise.all(Array.from({ length: count }, () => scene.customers.place(ORDER)));
  const settle = async () => {
    const { lost, wrong } = await scene.settle();
    return { lost, wrong };
  };
  const post = async () => {
    const response = await fetch(`${scene.stack.url}/order`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user: 'jack', item: 'widget', quantity: 1 }),
    });
    const { uuid, detail } = (await response.json()) as { uuid?: string; detail?: string };
    const { status, headers } = response;
    return { status, uuid, detail, retryAfter: headers.get('retry-after') };
  };

  it('[anomaly 35] ends within ten seconds of SIGTERM with orders in flight, and nothing is lost or done twice', async function () {
    this.timeout(LIMIT_MS);
    const { stack } = scene;
    const seen: string[] = [];
    const watch = async (url: string) => {
      for (;;) {
        const status = await fetch(url).then(
          async (response) => `${response.status} ${await response.text()}`,
          () => 'gone',
        );
        if (seen.at(-1) !== status) seen.push(status);
        if (status === 'gone') return;
      }
    };
    const victims = ['frontend', 'inventory', 'payments'];
    const watching = watch(`http://127.0.0.1:${stack.portOf('inventory')}/readyz`);
    const placing = placeMany(300);
    await stack.nextLine(/ payments +accepted /);
    const terminations = await Promise.all(
      victims.map(async (service) => ({ service, ...(await stack.terminate(service)) })),
    );
    await Promise.all([placing, watching]);
    expect(terminations.flatMap(wrongTermination)).to.deep.equal([]);
    // What it can't do any more it never claims to be ready for.
    expect(seen[0]).to.equal('200 {"status":"ready"}');
    expect(seen.slice(1).filter((status) => status.startsWith('200'))).to.deep.equal([]);
    await Promise.all(victims.map(stack.isUp));
    expect(await settle()).to.deep.equal(NOTHING);
  });

  it('[anomaly 37] refuses orders with 503 while the store is away, keeps what it has accepted, and goes on by itself', async function () {
    this.timeout(LIMIT_MS);
    const { stack } = scene;
    await placeMany(50);
    stack.doors.firestore.shut();
    const { status, retryAfter } = await post();
    expect({ status, retryAfter }).to.deep.equal({ status: 503, retryAfter: '1' });
    stack.doors.firestore.open();
    await until('an order is accepted again', LIMIT_MS, async () => (await post()).status === 202);
    expect(await settle()).to.deep.equal(NOTHING);
  });

  it('[anomaly 37] keeps what it accepted before it noticed that the broker is away, then refuses, and goes on by itself', async function () {
    this.timeout(LIMIT_MS);
    const { stack } = scene;
    await placeMany(50);
    stack.doors.pubsub.shut();
    const unannounced = await post();
    expect(unannounced.status).to.equal(202);
    expect(await post()).to.deep.include({
      status: 503,
      retryAfter: '1',
      detail: 'The broker does not answer; the order was not accepted, try again',
    });
    stack.doors.pubsub.open();
    await until('an order is accepted again', LIMIT_MS, async () => (await post()).status === 202);
    expect(await settle()).to.deep.equal(NOTHING);
    expect((await ledger(unannounced.uuid ?? ''))?.status).to.equal('PAID');
  });

  it('[anomaly 38] sends a message again that somebody took away from a service', async function () {
    this.timeout(LIMIT_MS);
    const { stack } = scene;
    const saga = receive(uuidv4(), ORDER.order, 'frontend', new Date(), 24);
    // Nobody but the thief reads meanwhile.
    stack.doors.pubsub.shut();
    await stack.store.commit([{ kind: 'create', path: sagaPath(saga.uuid), fields: saga }]);
    expect(await stack.bus.publish([messageFor(saga)])).to.deep.equal([undefined]);
    await until('the message is stolen', LIMIT_MS, async () => (await stack.steal('frontend-sub', 1)) === 1);
    stack.doors.pubsub.open();
    const redriven = stack.nextLine(new RegExp(`redriven uuid=${saga.uuid}`));
    await redriven;
    expect(await settle()).to.deep.equal(NOTHING);
    expect((await ledger(saga.uuid))?.status).to.equal('PAID');
  });

  it('[anomaly 32] is not changed by a seek that brings every message again', async function () {
    this.timeout(LIMIT_MS);
    expect(await scene.replay()).to.deep.equal([]);
    expect(await settle()).to.deep.equal(NOTHING);
  });

  const ledger = (uuid: string): Promise<Saga | undefined> => readOne(scene.stack.store, sagaPath(uuid));
});

describe('Chaos', () => {
  it('[anomalies 1, 2, 4, 6, 14, 15, 32, 35, 36, 37] kills, cuts and repetitions under load: nothing is lost, nothing is wrong', async function () {
    const emulators = await requireEmulators(this);
    this.timeout(LIMIT_MS);
    const lines: string[] = [];
    const { lost, wrong, stories } = await runChaos(
      {
        ...emulators,
        projectId: freshProjectId(),
        topology,
        seed: 20_261_120,
        loadSeconds: 6,
        ordersPerSecond: 50,
        victims: ['frontend', 'order', 'payments'],
        faults: { kills: 1, terminations: 1, cuts: 1, slowdowns: 1, repeats: 2, poison: 1 },
        quietSeconds: 1.5,
        quietLimitSeconds: 150,
        environment: { SWEEP_INTERVAL_SECONDS: '1', SAGA_DEADLINE_SECONDS: '80' },
      },
      (line) => lines.push(line),
    );
    expect({ lost, wrong }, [...lines, ...stories].join('\n')).to.deep.equal(NOTHING);
  });
});
