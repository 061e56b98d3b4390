import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import { type Ledger, ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import { readOne } from '../../saga/ports/store.ts';
import { freshProjectId, requireEmulators } from '../support/emulators.ts';
import { longSuite } from '../support/thorough.ts';
import { dataFor, HOT, isBroughtBack, type PlannedOrder } from './orders.ts';
import { orderCountOf, rage, type Storm, storiesOf, wrongTermination } from './run.ts';
import { openScene, type Scene } from './scene.ts';

/**
 * The pipeline as it runs: Google's emulators, each service its own process, and what goes wrong between them. The same
 * at length, with thousands of orders: npm run chaos.
 */

const topology = topologyOf(pipeline);
const [DOOR = ''] = serviceNames(pipeline);
const [FIRST_STEP = '', ...LATER_STEPS] = pipeline.steps.map(({ name }) => name);
const [NEXT_TO_LAST_STEP = '', LAST_STEP = ''] = LATER_STEPS.slice(-2);
/** A ledger is announced again after an eighth of it. */
const DEADLINE_SECONDS = 40;
/** Far more than anything here takes, on any machine: a test that gets there has failed. */
const LIMIT_MS = 240_000;
const NOTHING = { lost: [], wrong: [] };

const ORDER: PlannedOrder = {
  order: { user: 'jack', items: [{ item: 'widget', quantity: 1 }] },
  by: 'http',
  posts: 1,
};

/** An orchestrated order that must wait for people, who approve of it, as its uuid says. */
const DECIDED = {
  order: {
    ...ORDER.order,
    items: [...ORDER.order.items, { item: HOT, quantity: 1_000 }],
    on_shortage: 'ask',
    mode: 'orchestration',
  },
  by: 'topic',
  uuid: '3c000014-61aa-4f0e-9d3b-5a7e1f2c4b61',
  posts: 1,
} as const;

/** Who does the steps of orchestrated orders. */
const ORCHESTRATOR =
  Object.values(topology.subscriptions).find(({ topic }) => topic === pipeline.workflow?.topic)?.service ??
  '';

/** All that goes wrong in the run under load: four services are killed, one of them is told to end. */
const STORM: Storm = {
  seed: 20_261_120,
  loadSeconds: 5,
  ordersPerSecond: 50,
  victims: [DOOR, FIRST_STEP, LAST_STEP, ORCHESTRATOR],
  faults: { kills: 1, terminations: 1, cuts: 1, slowdowns: 1, repeats: 2, poison: 1, audits: 2 },
};

longSuite('A pipeline of processes', () => {
  let scene: Scene;
  before(async function () {
    const emulators = await requireEmulators(this);
    scene = await openScene({
      ...emulators,
      projectId: freshProjectId(),
      topology,
      data: dataFor(orderCountOf(STORM)),
      quietSeconds: 1,
      mayExpire: true,
      quietLimitSeconds: 120,
      environment: {
        SWEEP_INTERVAL_SECONDS: '1',
        SAGA_DEADLINE_SECONDS: String(DEADLINE_SECONDS),
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
  /** What the gateway says, which is what a load balancer sees. */
  const readiness = async () => {
    const response = await fetch(`${scene.stack.url}/readyz`);
    return {
      status: '',
      missing: [],
      ...((await response.json()) as { status?: string; missing?: string[] }),
    };
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

  it('[anomalies 1, 2, 4, 6, 14, 15, 22, 36] under load, killed, cut off and told everything twice, loses nothing and does nothing wrong', async function () {
    this.timeout(LIMIT_MS);
    // Whatever the storm does to the others, this one was orchestrated and has heard what people decided.
    await scene.customers.place(DECIDED);
    const wordHeard = async () => (await ledgerOf(DECIDED.uuid))?.heard?.inventory?.word;
    await until('the approval is heard', 60_000, async () => (await wordHeard()) === 'approve');
    expect(await ledgerOf(DECIDED.uuid)).to.have.property('mode', 'orchestration');
    const plan: string[] = [];
    const { terminations, violations } = await rage(scene, STORM, (line) => plan.push(line));
    const { world, lost, wrong } = await scene.settle();
    const found = { lost, wrong: [...wrong, ...violations, ...terminations.flatMap(wrongTermination)] };
    expect(found, [...plan, ...storiesOf(scene, world)].join('\n')).to.deep.equal(NOTHING);
    const orchestrated = [...world.ledgers.values()].filter(({ mode }) => mode === 'orchestration');
    expect(orchestrated).to.have.length.above(1);
  });

  it('[anomaly 35] ends within ten seconds of SIGTERM with orders in flight, and nothing is lost or done twice', async function () {
    this.timeout(LIMIT_MS);
    const { stack } = scene;
    const placing = placeMany(200);
    await stack.nextLine(new RegExp(` ${LAST_STEP} +accepted `));
    const terminations = await Promise.all(
      [DOOR, NEXT_TO_LAST_STEP, LAST_STEP].map(async (service) => {
        const termination = await stack.terminate(service);
        const { missing } = await readiness();
        return { service, ...termination, missedAtOnce: missing.includes(service) };
      }),
    );
    await placing;
    expect(terminations.flatMap(wrongTermination)).to.deep.equal([]);
    expect(terminations.filter(({ missedAtOnce }) => !missedAtOnce)).to.deep.equal([]);
    await until('all are ready again', LIMIT_MS, async () => (await readiness()).status === 'ready');
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

  it('[anomalies 37, 38] keeps what it accepted while the broker was away, and what somebody took away, and refuses the rest', async function () {
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
    const stolen = await stealOrder();
    stack.doors.pubsub.open();
    await until('an order is accepted again', LIMIT_MS, async () => (await post()).status === 202);
    expect(await settle()).to.deep.equal(NOTHING);
    // Some parcels come back, as their uuids say.
    const endOf = (uuid: string) => (isBroughtBack(uuid) ? 'DELIVERY_CANCELED' : pipeline.success);
    const uuids = [unannounced.uuid ?? '', stolen];
    const ledgers = await Promise.all(uuids.map(ledgerOf));
    expect(ledgers.map((ledger) => ledger?.reason ?? ledger?.status)).to.deep.equal(uuids.map(endOf));
    expect(
      stack.lines(/ an order stood still: announced /).filter((line) => line.includes(stolen)),
    ).to.have.length.at.least(1);
  });

  /** An order whose message a person has pulled with auto-ack from the service's own subscription. */
  async function stealOrder(): Promise<string> {
    const { store, bus, steal } = scene.stack;
    const ledger = receive(pipeline, uuidv4(), ORDER.order, DOOR, new Date(), DEADLINE_SECONDS);
    const { uuid } = ledger;
    await store.commit([{ kind: 'create', path: ledgerPath(uuid), fields: ledger }]);
    expect(await bus.publish([messageFor(pipeline, ledger)])).to.deep.equal([undefined]);
    await until('its message is stolen', LIMIT_MS, async () =>
      (await steal(subscriptionOf(topology, FIRST_STEP, pipeline.entry.topic), 100)).some((data) =>
        data.includes(uuid),
      ),
    );
    return uuid;
  }

  it('[anomaly 32] is not changed by a seek that brings every message again', async function () {
    this.timeout(LIMIT_MS);
    expect(await scene.replay()).to.deep.equal([]);
    expect(await settle()).to.deep.equal(NOTHING);
  });

  const ledgerOf = (uuid: string): Promise<Ledger | undefined> =>
    readOne(scene.stack.store, ledgerPath(uuid));
});
