import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { systemClock } from '../../adapters/system-clock.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { pageBehind } from '../../saga/http/page.ts';
import { ledgerPath, PAUSED } from '../../saga/ledger/ledger.ts';
import { pause } from '../../saga/ports/clock.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { forkUuid } from '../../saga/steer/fork.ts';
import { stepTask } from '../../saga/step/take-step.ts';
import { SETTINGS } from '../support/builders.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { aReceivedOrder, standingOrder } from '../support/standing-order.ts';

const ORDER = { item: 'widget', quantity: 2, user: 'joe' };
const alice = { 'saga-operator': 'alice' };
const note = 'The provider is away';

/** Takes the steps before this one on that order, and tells no service. */
async function advanceTo({ store }: Pipeline, uuid: string, last: string): Promise<void> {
  const ports = { ...(await recordedPorts()), store, clock: systemClock };
  for (const step of shop.steps.slice(
    0,
    shop.steps.findIndex(({ name }) => name === last),
  )) {
    const options = { settings: SETTINGS.declared, deadlineSeconds: 900, isEntry: false };
    await takeTurns(shop, step.name, [stepTask(shop, step, { uuid }, options)], ports);
  }
}

for (const backend of sampledBackends) {
  describe(`Operators steer orders by hand, on ${backend.name}`, () => {
    let pipeline: Pipeline;
    before(async function () {
      pipeline = await startPipeline(await backend.open(this));
    });
    after(() => pipeline?.close());
    afterEach(async () => {
      await pipeline.bus.idle();
      const { violations } = await takeAudit(shop, { store: pipeline.store, clock: systemClock }, () =>
        pause(systemClock, 0),
      );
      expect(violations).to.deep.equal([]);
    });
    const statusOf = async (uuid: string) => (await pipeline.get(`/order/${uuid}`)).body.status;

    it('[anomaly 56] a paused order goes on once it is let, and comes to its end', async () => {
      const uuid = await standingOrder(pipeline, 'joe');
      const paused = await pipeline.post(`/sagas/${uuid}/pause`, { note }, alice);
      expect([paused.status, paused.body]).to.deep.equal([202, { uuid, status: PAUSED }]);
      // Its message comes, late.
      expect((await pipeline.post(`/sagas/${uuid}/announce`, '')).status).to.equal(202);
      await pipeline.bus.idle();
      expect(await statusOf(uuid)).to.equal(PAUSED);
      await pipeline.post(`/sagas/${uuid}/resume`, { note: 'It is back' }, alice);
      await pipeline.bus.idle();
      expect(await statusOf(uuid)).to.equal(shop.success);
      const { timeline } = (await pipeline.get(`/sagas/${uuid}`)).body;
      const [, pause, resumption] = timeline;
      expect(pause).to.include({ status: PAUSED, by: 'janitor', person: 'alice', note });
      expect(resumption).to.include({
        status: 'RECEIVED',
        by: 'janitor',
        person: 'alice',
        note: 'It is back',
      });
    });

    it('[anomaly 56] a paused order can be canceled, and holds nothing then', async () => {
      const before = await pipeline.remaining();
      const uuid = await standingOrder(pipeline, 'joe');
      await pipeline.post(`/sagas/${uuid}/pause`, { note });
      expect((await pipeline.post(`/order/${uuid}/cancel`, '')).status).to.equal(202);
      await pipeline.bus.idle();
      expect(await statusOf(uuid)).to.equal('CANCELED');
      expect(await pipeline.remaining()).to.deep.equal(before);
    });

    it('a fork of a canceled order goes its own way, with stock and credit of its own', async () => {
      const { uuid } = await pipeline.order({ ...ORDER, 'payment-error': true });
      const { status, body, headers } = await pipeline.post(
        `/sagas/${uuid}/fork`,
        { from: 'CREATED', note },
        alice,
      );
      const fork = forkUuid(uuid, 'CREATED');
      expect([status, body.uuid, headers.get('location')]).to.deep.equal([202, fork, `/sagas/${fork}`]);
      await pipeline.bus.idle();
      // It asks for the same, and so it fails for the same reason.
      expect((await pipeline.get(`/order/${fork}`)).body).to.include({
        status: 'CANCELED',
        reason: 'PAYMENT_ERROR',
      });
      expect((await pipeline.get(`/sagas/${uuid}`)).body.ledger.forks).to.deep.equal([fork]);
      expect((await pipeline.get(`/sagas/${fork}`)).body.ledger.forkOf.uuid).to.equal(uuid);
    });

    it('a skipped payment costs nothing, and the order is delivered', async () => {
      const { joe: credit } = await pipeline.remaining();
      const uuid = await standingOrder(pipeline, 'joe');
      const skip = () => pipeline.post(`/sagas/${uuid}/skip`, { step: 'payments', note }, alice);
      const early = await skip();
      expect([early.status, early.body.detail]).to.deep.equal([
        409,
        'payments is not the next step: the order is RECEIVED',
      ]);
      await advanceTo(pipeline, uuid, 'payments');
      const { status, body } = await skip();
      expect([status, body]).to.deep.equal([202, { uuid, status: 'PAID' }]);
      await pipeline.bus.idle();
      expect(await statusOf(uuid)).to.equal(shop.success);
      expect(await pipeline.remaining()).to.include({ joe: credit });
      expect((await pipeline.get(`/payments/${uuid}`)).body).to.include({ charged: 0, delivery_cost: 0 });
    });

    it('all orders of a customer are paused, and let go on', async () => {
      const [one, other] = [await standingOrder(pipeline, 'joe'), await standingOrder(pipeline, 'joe')];
      const foreign = await standingOrder(pipeline, 'jack');
      const paused = await pipeline.post('/sagas/pause?user=joe&status=RECEIVED', { note }, alice);
      expect([paused.status, paused.body]).to.deep.equal([200, { steered: 2, untouched: 0, failed: 0 }]);
      expect(await Promise.all([one, other, foreign].map(statusOf))).to.deep.equal([
        PAUSED,
        PAUSED,
        'RECEIVED',
      ]);
      const resumed = await pipeline.post('/sagas/resume?user=joe', { note }, alice);
      expect(resumed.body).to.deep.equal({ steered: 2, untouched: 0, failed: 0 });
      await pipeline.post(`/sagas/${foreign}/announce`, '');
      await pipeline.bus.idle();
      expect(await Promise.all([one, other, foreign].map(statusOf))).to.deep.equal([
        shop.success,
        shop.success,
        shop.success,
      ]);
    });
  });
}

describe('Steering an order', () => {
  let pipeline: Pipeline;
  const logged: Record<string, unknown>[] = [];
  let isAway = false;
  before(async () => {
    const [embedded] = sampledBackends;
    if (embedded === undefined) throw new Error('There is no backend');
    pipeline = await startPipeline(await embedded.open({} as Mocha.Context), ({ store }) => ({
      log: (severity, message, fields) => logged.push({ severity, message, ...fields }),
      store: {
        ...store,
        async commit(writes) {
          if (isAway) throw new StoreError('rejected', 'The store does not take it');
          await store.commit(writes);
        },
      },
    }));
  });
  after(() => pipeline?.close());

  for (const [path, body, field, message] of [
    ['pause', {}, 'note', 'is missing'],
    ['pause', { note: '' }, 'note'],
    ['pause', { note: 'a\nb' }, 'note'],
    ['pause', { note, why: 1 }, 'why'],
    ['skip', { note }, 'step', 'is missing'],
    ['fork', { note }, 'from', 'is missing'],
    ['fork', { from: 'CANCELED', note }, 'from', 'must be one of RECEIVED, CREATED, RESERVED, PAID'],
    ['skip', { step: 'inventory', note }, 'step'],
    ['pause', { note: ' \u2028' }, 'note'],
  ] as const) {
    it(`[anomaly 41] is refused with 400 for a ${path} by ${JSON.stringify(body)}`, async () => {
      const uuid = await standingOrder(pipeline, 'joe');
      const refused = await pipeline.post(`/sagas/${uuid}/${path}`, body);
      const [fault] = refused.body.errors;
      expect([refused.status, fault.field, message && fault.message]).to.deep.equal([400, field, message]);
      expect((await pipeline.get(`/order/${uuid}`)).body.status).to.equal('RECEIVED');
    });
  }

  it('is refused with 400 for all orders at once, from whatever page on, and by what no order is listed', async () => {
    const page = pageBehind({ createdAt: new Date(), id: uuidv4() });
    for (const [query, field] of [
      ['', 'status'],
      [`?page=${page}`, 'status'],
      ['?color=red', 'color'],
      ['?status=LOST', 'status'],
    ]) {
      const { status, body } = await pipeline.post(`/sagas/pause${query}`, { note });
      expect([status, body.errors[0].field], query).to.deep.equal([400, field]);
    }
  });

  it('is refused with 404 for an order that nobody knows, and with 409 for one at its end', async () => {
    for (const [act, more] of [
      ['pause', {}],
      ['resume', {}],
      ['skip', { step: 'payments' }],
      ['fork', { from: 'CREATED' }],
    ] as const) {
      const answer = await pipeline.post(`/sagas/${uuidv4()}/${act}`, { ...more, note });
      expect(answer.status, act).to.equal(404);
    }
    const { uuid } = await pipeline.order(ORDER);
    const { status, body } = await pipeline.post(`/sagas/${uuid}/pause`, { note });
    expect([status, body.detail]).to.deep.equal([409, `The order is ${shop.success}: nothing follows`]);
  });

  it('is noted with the name of the operator, whom no customer sees', async () => {
    const uuid = await standingOrder(pipeline, 'joe');
    logged.length = 0;
    await pipeline.post(`/sagas/${uuid}/pause`, { note }, alice);
    // It is paused already, and so that is not what bob did.
    await pipeline.post(`/sagas/${uuid}/pause`, { note }, { 'saga-operator': 'bob' });
    const line = { severity: 'INFO', message: 'janitor: an operator paused this order', step: 'janitor' };
    expect(logged).to.deep.equal([{ ...line, uuid, status: PAUSED, operator: 'alice', error: undefined }]);
    const seen = await pipeline.get(`/order/${uuid}`);
    expect(JSON.stringify(seen.body)).not.to.match(/alice|provider/);
  });

  it('of many says how many could not be, and of how many it is not known, and that in the log', async () => {
    await pipeline.order({ ...ORDER, user: 'jill', 'payment-error': true });
    const uuid = await standingOrder(pipeline, 'jill');
    const pauseAll = async () => (await pipeline.post('/sagas/pause?user=jill', { note }, alice)).body;
    const line = { message: 'janitor: an operator paused orders', user: 'jill', operator: 'alice' };
    isAway = true;
    expect(await pauseAll()).to.deep.equal({ steered: 0, untouched: 1, failed: 1 });
    isAway = false;
    expect(logged.at(-1)).to.include({ ...line, severity: 'WARNING', steered: 0, untouched: 1, failed: 1 });
    expect((await pipeline.get(`/order/${uuid}`)).body.status).to.equal('RECEIVED');
    expect(await pauseAll()).to.deep.equal({ steered: 1, untouched: 1, failed: 0 });
    expect(logged.at(-1)).to.include({ ...line, severity: 'INFO', steered: 1, untouched: 1, failed: 0 });
  });

  it('pauses no more than a thousand by one request, and says where the others are', async () => {
    const now = Date.now();
    const orders = Array.from({ length: 1_150 }, (_, index) => aReceivedOrder('jack', new Date(now + index)));
    for (let from = 0; from < orders.length; from += 400) {
      const some = orders.slice(from, from + 400);
      await pipeline.store.commit(
        some.map((fields) => ({ kind: 'create', path: ledgerPath(fields.uuid), fields })),
      );
    }
    const first = (await pipeline.post('/sagas/pause?user=jack', { note })).body;
    const second = (await pipeline.post(`/sagas/pause?user=jack&page=${first.next_page}`, { note })).body;
    expect([first.steered, second]).to.deep.equal([1_000, { steered: 150, untouched: 0, failed: 0 }]);
  });
});
