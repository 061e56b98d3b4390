import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import { transitionsOf } from '../saga/ledger/history.ts';
import { SETTINGS } from '../test/support/builders.ts';
import { backends, type Pipeline, startPipeline } from '../test/support/pipeline.ts';

const ORDER = { item: 'widget', quantity: 2, user: 'joe', mode: 'orchestration' };

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
