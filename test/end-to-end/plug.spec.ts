import { expect } from 'chai';
import { until } from '../../local/until.ts';
import { pipeline } from '../../pipeline.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { asking } from '../support/ask.ts';
import { type Child, runProgram } from '../support/child.ts';
import { freshProjectId, requireEmulators } from '../support/emulators.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { longSuite } from '../support/thorough.ts';

/** What an order comes to by itself: then it waits for its courier. */
const RESTS = pipeline.steps.at(-1)?.waits?.as;
/** It takes and gives back, and is neither first nor last. */
const STEP = 'payments';
/** Where an order stands before that. */
const BEFORE = pipeline.steps[pipeline.steps.findIndex(({ name }) => name === STEP) - 1]?.leadsTo;
/** Nothing takes so long, not on a slow machine either: then an order is lost. */
const LIMIT_MS = 180_000;

/** What people do to a local stack, and what they see of it. */
function client(urlOf: () => string) {
  const ask = asking(urlOf);
  /** While a service or the store is away, the answer is 503: come again. */
  const get = async (path: string) => {
    const { status, body } = await ask('GET', path);
    return status === 200 ? body : undefined;
  };
  const order = async (): Promise<string> => {
    const { status, body } = await ask('POST', '/order', { item: 'widget', quantity: 1, user: 'jack' });
    expect(status).to.equal(202);
    return body.uuid;
  };
  const orders = (count: number) => Promise.all(Array.from({ length: count }, order));
  return {
    ask,
    get,
    orders,
    pull: async (how: string, body?: object) => {
      const { status, body: answer } = await ask('POST', `/plug/${how}`, body);
      expect([status, typeof answer.done], how).to.deep.equal([202, 'string']);
    },
    async stateOf(service: string): Promise<string> {
      const { services } = (await ask('GET', '/plug')).body;
      return services.find(({ name }: { name: string }) => name === service).state;
    },
    statusOf: async (uuid: string): Promise<string | undefined> => (await get(`/order/${uuid}`))?.status,
    /** Resolves once each of them has been taken all the way, by itself. */
    async rest(uuids: readonly string[]): Promise<void> {
      for (const uuid of uuids) {
        await until(`order ${uuid} rests`, LIMIT_MS, async () => {
          const status = (await get(`/order/${uuid}`))?.status;
          expect(status).to.not.equal('CANCELED');
          return status === RESTS;
        });
      }
    },
    async expectClean(): Promise<void> {
      expect((await ask('GET', '/audit')).body.violations).to.deep.equal([]);
    },
  };
}
const urlIn = (line: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';

longSuite('The plug of npm run start:emulators', function () {
  this.timeout(2 * LIMIT_MS);
  let stack: Child;
  let url = '';
  const { ask, get, orders, pull, stateOf, statusOf, rest, expectClean } = client(() => url);

  before(async function () {
    await requireEmulators(this);
    stack = runProgram('local/start-emulators.js', [], {
      PORT: '0',
      PROJECT_ID: freshProjectId(),
      PUBSUB_EMULATOR_HOST: '127.0.0.1:0',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:0',
      // An order is under way for a moment.
      SLOW_DOWN: `${STEP}=300`,
    });
    url = urlIn(await stack.line(/The pipeline runs on/));
    await Promise.all(serviceNames(pipeline).map((name) => stack.line(new RegExp(`${name} +listens `))));
  });
  after(async () => {
    stack?.process.kill('SIGTERM');
    await stack?.exited;
  });

  it('[anomaly 36] crashes a service while orders are under way: each still comes through, and the audit is clean', async () => {
    const pid = /pid=(\d+)/.exec(await stack.line(new RegExp(`${STEP} +listens .*pid=`)))?.[1];
    const before = await orders(5);
    await until('an order is before the step', LIMIT_MS, async () =>
      (await Promise.all(before.map(statusOf))).includes(BEFORE),
    );
    await pull('crash', { service: STEP });
    const after = await orders(5);
    await stack.line(new RegExp(`${STEP} +ended \\(SIGKILL\\), starts again`));
    await stack.line(new RegExp(`${STEP} +listens .*pid=(?!${pid}\\b)`));
    await rest([...before, ...after]);
    expect(await stateOf(STEP)).to.equal('running');
    await expectClean();
  });

  it('freezes a service, whose orders stand still until it goes on', async () => {
    await pull('freeze', { service: STEP, seconds: 60 });
    expect(await stateOf(STEP)).to.equal('frozen');
    const [uuid = ''] = await orders(1);
    await until('the step before it is done', LIMIT_MS, async () => (await statusOf(uuid)) === BEFORE);
    await pull('freeze', { service: STEP, seconds: 1 });
    await rest([uuid]);
    expect(await stateOf(STEP)).to.equal('running');
    await expectClean();
  });

  it('kills a service that is frozen', async () => {
    await pull('freeze', { service: STEP, seconds: 60 });
    await pull('crash', { service: STEP });
    await until('it runs again', LIMIT_MS, async () => (await stateOf(STEP)) === 'running');
    await rest(await orders(1));
  });

  it('cuts off the store, and then the broker, while orders are under way', async () => {
    for (const what of ['store', 'broker']) {
      const uuids = await orders(3);
      await pull('cut', { what, seconds: 1 });
      expect((await ask('GET', '/plug')).body.cut[what]).to.be.a('string');
      await until(`the ${what} is back`, LIMIT_MS, async () => (await get('/plug')).cut[what] === null);
      // An order whose message met no broker need not wait for the sweep.
      for (const uuid of uuids) {
        await until('it is announced', LIMIT_MS, async () =>
          [200, 202, 409].includes((await ask('POST', `/sagas/${uuid}/announce`)).status),
        );
      }
      await rest(uuids);
    }
    await expectClean();
  });

  it('publishes the last message, or all of them, once more, and nothing changes', async () => {
    const seen = async () => ({
      orders: (await get('/orders')).orders,
      stock: await get('/inventory/widget'),
    });
    await rest(await orders(1));
    const before = await seen();
    expect(before.orders).to.not.be.empty;
    await pull('duplicate');
    await pull('replay');
    // Behind all of them.
    const behind = await orders(1);
    await rest(behind);
    const after = await seen();
    expect(after.orders.filter(({ uuid }: { uuid: string }) => !behind.includes(uuid))).to.deep.equal(
      before.orders,
    );
    expect(after.stock.quantity).to.equal(before.stock.quantity - behind.length);
    await expectClean();
  });
});

longSuite('The plug of npm start', function () {
  this.timeout(2 * LIMIT_MS);

  it('[anomaly 36] kills the engine once it has answered, which comes back with all that it had accepted', () =>
    inTemporaryFolder(async (folder) => {
      const stack = runProgram('local/start.js', [], {
        PORT: '0',
        DATA_DIR: folder,
        SLOW_DOWN: `${STEP}=1000`,
      });
      try {
        const url = urlIn(await stack.line(/The pipeline runs on/));
        const { orders, pull, statusOf, rest, expectClean } = client(() => url);
        const pid = /pid=(\d+)/.exec(await stack.line(/listens on .* pid=/))?.[1];
        const uuids = await orders(3);
        await until('an order is before the step', LIMIT_MS, async () =>
          (await Promise.all(uuids.map(statusOf))).includes(BEFORE),
        );
        // It is answered.
        await pull('crash', { service: STEP });
        await stack.line(/ended \(SIGKILL\), starts again/);
        await stack.line(new RegExp(`listens on ${url} .*pid=(?!${pid}\\b)`));
        await rest(uuids);
        await expectClean();
      } finally {
        stack.process.kill('SIGTERM');
        await stack.exited;
      }
    }));
});
