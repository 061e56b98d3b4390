import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import { messageFor } from '../saga/deliver/message.ts';
import { serviceOf } from '../saga/deliver/service.ts';
import { transitionsOf } from '../saga/ledger/history.ts';
import { fail, type Ledger } from '../saga/ledger/ledger.ts';
import { orchestrationTask } from '../saga/step/orchestrate.ts';
import { defineSaga } from '../saga/step/saga.ts';
import { stepTask } from '../saga/step/take-step.ts';
import { aLedger, aLedgerThatIs, documentsOf, LATER, SETTINGS, UUID } from '../test/support/builders.ts';
import { backends, type Pipeline, startPipeline } from '../test/support/pipeline.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';

const ORDER = { item: 'widget', quantity: 2, user: 'joe', mode: 'orchestration' };
const documents = documentsOf({
  'users/jack': { address: '1 Hill Road' },
  'inventory/widget': { quantity: 9, loaded: 9, price_per_unit: 5 },
});
const mode = { mode: 'orchestration' } as const;
const orchestrate = (ledger: Ledger | undefined) =>
  orchestrationTask(pipeline, { uuid: UUID }, 'orchestrator', () => SETTINGS.declared).take(
    ledger,
    documents,
    LATER,
  );

describe('An orchestrated ledger', () => {
  it('calls for the workflow while somebody has to act, and else for what every ledger calls for', () => {
    const topics = pipeline.statuses.map((status) => [
      status,
      messageFor(pipeline, aLedgerThatIs(status, mode)).topic,
    ]);
    expect(Object.fromEntries(topics)).to.deep.equal({
      RECEIVED: 'workflow',
      CREATED: 'workflow',
      WAITING: 'order-waiting',
      RESERVED: 'workflow',
      PAID: 'workflow',
      DELIVERING: 'delivery-started',
      DELIVERED: 'order-delivered',
      RESUMED: 'workflow',
      PAUSED: 'order-paused',
      FAILING: 'workflow',
      CANCELED: 'order-canceled',
    });
  });

  it('uses no event id twice, although all its steps have one topic', () => {
    const ids = ['RECEIVED', 'CREATED', 'RESERVED', 'PAID'] as const;
    const used = ids.map((status) => messageFor(pipeline, aLedgerThatIs(status, mode)).attributes['ce-id']);
    expect(new Set(used)).to.have.length(ids.length);
  });

  it('[anomaly 50] is ignored by the steps of choreographed orders, and a choreographed one by the orchestrator', () => {
    for (const step of pipeline.steps) {
      for (const status of pipeline.statuses) {
        const ledger = aLedgerThatIs(status, mode);
        const options = { settings: SETTINGS.declared, deadlineSeconds: 900, isEntry: false };
        const turn = stepTask(pipeline, step, { uuid: UUID }, options).take(ledger, documents, LATER);
        expect(turn.ledger, `${step.name} of an order that is ${status}`).to.equal(ledger);
      }
    }
    for (const status of pipeline.statuses) {
      expect(orchestrate(aLedgerThatIs(status))).to.deep.equal({
        outcome: 'ignored',
        ledger: aLedgerThatIs(status),
      });
    }
  });

  it('is taken on by one step at each message, by the orchestrator', () => {
    const { outcome, ledger } = orchestrate(aLedger(mode));
    expect(outcome).to.equal('accepted');
    expect(ledger).to.include({ status: 'CREATED' });
    expect(ledger?.history.at(-1)).to.match(/ CREATED orchestrator$/);
  });

  it('that fails is compensated by the orchestrator', () => {
    const failure = { by: 'orchestrator', reason: 'PAYMENT_ERROR', detail: 'No', now: LATER };
    const { outcome, ledger } = orchestrate(fail(pipeline, aLedger(mode), failure));
    expect(outcome).to.equal('compensated');
    expect(ledger?.status).to.equal('CANCELED');
  });

  it('that waits, or has ended, is left as it is', () => {
    for (const [status, outcome] of [
      ['DELIVERING', 'duplicate'],
      ['DELIVERED', 'duplicate'],
      ['CANCELED', 'fenced'],
    ] as const) {
      const ledger = aLedgerThatIs(status, mode);
      expect(orchestrate(ledger)).to.deep.equal({ outcome, ledger });
    }
  });

  it('that nobody knows is parked', () => {
    expect(orchestrate(undefined).outcome).to.equal('parked');
  });
});

describe('A saga without a workflow', () => {
  it('has no orchestrated order, whatever an order asks for', () => {
    const { workflow: _, ...choreographed } = shopOfThree;
    const services = shopOfThree.services.filter(({ name }) => name !== 'orchestrator');
    const subscriptions = Object.fromEntries(
      Object.entries(shopOfThree.subscriptions).filter(([, reader]) => reader !== 'orchestrator'),
    );
    const saga = defineSaga({ ...choreographed, services, subscriptions } as never);
    expect(saga.isOrchestrated(aLedger(mode))).to.equal(false);
    expect(saga.topicFor(aLedger(mode))).to.equal('frontend');
    expect(() => serviceOf(saga, 'orchestrator', {} as never, SETTINGS)).to.throw(
      'has no service orchestrator',
    );
  });
});

for (const backend of backends) {
  describe(`The orchestrated mode on ${backend.name}`, () => {
    let shop: Pipeline;
    before(async function () {
      shop = await startPipeline(await backend.open(this));
    });
    after(() => shop?.close());

    it('does the same steps by one service, on one topic, and the books are the same', async () => {
      const ledger = await shop.order(ORDER);
      expect(transitionsOf(ledger).map(({ status, by }) => `${status} by ${by}`)).to.deep.equal([
        'RECEIVED by frontend',
        'CREATED by orchestrator',
        'RESERVED by orchestrator',
        'PAID by orchestrator',
        'DELIVERING by orchestrator',
        'RESUMED by delivery',
        'DELIVERED by orchestrator',
      ]);
      const topics = shop.bus.published
        .filter(({ attributes }) => attributes['ce-subject'] === ledger.uuid)
        .map(({ topic }) => topic);
      expect(new Set(topics)).to.deep.equal(new Set(['workflow', 'delivery-started', 'order-delivered']));
      expect(await shop.remaining()).to.include({ widget: 8, joe: 80 });
      expect((await shop.get('/audit')).body).to.include({ violationCount: 0, stuckCount: 0 });
    });

    it('[anomaly 50] compensates by itself, beside choreographed orders for the same stock', async () => {
      const before = await shop.remaining();
      const failing = await shop.order({ ...ORDER, 'payment-error': true });
      const { mode: __, ...choreographed } = ORDER;
      const other = await shop.order({ ...choreographed, 'payment-error': true });
      expect([failing, other].map(({ status, reason }) => `${status} ${reason}`)).to.deep.equal([
        'CANCELED PAYMENT_ERROR',
        'CANCELED PAYMENT_ERROR',
      ]);
      expect(transitionsOf(failing).at(-1)?.by).to.equal('orchestrator');
      expect(transitionsOf(other).at(-1)?.by).to.equal('janitor');
      expect(await shop.remaining()).to.deep.equal(before);
    });
  });
}

describe('ORDER_MODE=orchestration', () => {
  it('orchestrates every order that names no mode', async () => {
    const settings = { ...SETTINGS, declared: { ...SETTINGS.declared, ORDER_MODE: 'orchestration' } };
    const opened = await (backends[0] as (typeof backends)[number]).open({} as Mocha.Context);
    const shop = await startPipeline(opened, undefined, undefined, pipeline, {}, { settings });
    const { mode: _, ...order } = ORDER;
    expect(await shop.order(order)).to.include({ mode: 'orchestration', status: 'DELIVERED' });
    await shop.close();
  });
});
