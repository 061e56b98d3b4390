import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { isLedgerPath } from '../../saga/ledger/ledger.ts';
import { type Answer, type Pipeline, startPipeline, topology } from '../support/pipeline.ts';

const ORDER = { item: 'widget', quantity: 2, user: 'jack' };

describe('GET /order/{uuid}?at=', () => {
  /** What the order was shown as right after each commit of its ledger. */
  const told: Answer['body'][] = [];
  let pipeline: Pipeline;
  before(async () => {
    const backend = { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) };
    let lastMs = 0;
    pipeline = await startPipeline(backend, ({ store, clock }) => ({
      // No two transitions in one millisecond: between those no moment can be asked for.
      clock: {
        ...clock,
        now() {
          lastMs = Math.max(clock.now().getTime(), lastMs + 1);
          return new Date(lastMs);
        },
      },
      store: {
        ...store,
        async commit(writes) {
          await store.commit(writes);
          for (const { path } of writes.filter((one) => isLedgerPath(one.path))) {
            told.push((await pipeline.get(`/order/${path.split('/')[1]}`)).body);
          }
        },
      },
    }));
  });
  after(() => pipeline.close());
  beforeEach(() => told.splice(0));

  const at = (uuid: string, moment: string | number) =>
    pipeline.get(
      `/order/${uuid}?at=${typeof moment === 'number' ? new Date(moment).toISOString() : encodeURIComponent(moment)}`,
    );

  const stories: [what: string, order: object, end: string][] = [
    ['that succeeds', ORDER, shop.success],
    ['that is refused', { ...ORDER, 'payment-error': 'no' }, 'CANCELED'],
    ['that is refused by the first step', { ...ORDER, user: 'nobody' }, 'CANCELED'],
    ['that is canceled while it waits', ORDER, 'CANCELED'],
  ];
  for (const [what, order, end] of stories) {
    it(`shows an order ${what} as GET /order/{uuid} did at that moment`, async () => {
      const { uuid, status } = await pipeline.orderThatWaits(order);
      if (status !== end && end === 'CANCELED') await pipeline.post(`/order/${uuid}/cancel`, '');
      await pipeline.bus.idle();
      const { body: now } = await pipeline.get(`/order/${uuid}`);
      expect(now.status).to.equal(end);
      expect(told.map(({ history }) => history.length)).to.deep.equal(
        now.history.map((_: object, index: number) => index + 1),
      );
      for (const [index, body] of told.entries()) {
        const next = told[index + 1]?.updatedAt ?? '2999-12-31T23:59:59Z';
        for (const moment of [Date.parse(body.updatedAt), Date.parse(next) - 1]) {
          expect((await at(uuid, moment)).body).to.deep.equal(body);
        }
      }
    });
  }

  it('takes a moment in any zone', async () => {
    const { uuid, createdAt } = await pipeline.order(ORDER);
    const local = new Date(createdAt.getTime() + 7_200_000).toISOString().replace('Z', '+02:00');
    expect((await at(uuid, local)).body).to.deep.equal(told[0]);
  });

  it('answers 404 for a moment before the order came, and says when it did', async () => {
    const { uuid, createdAt } = await pipeline.order(ORDER);
    const { status, body } = await at(uuid, createdAt.getTime() - 1);
    expect([status, body.detail]).to.deep.equal([
      404,
      `There was no order ${uuid} yet: it came at ${createdAt.toISOString()}`,
    ]);
  });

  const malformed = [
    '',
    'yesterday',
    '2026-01-02',
    '2026-01-02T03:04:05',
    '2026-02-30T03:04:05Z',
    '1767323045',
  ];
  for (const moment of malformed) {
    it(`[anomaly 41] refuses ${JSON.stringify(moment)} with 400, and names the parameter`, async () => {
      const { uuid } = await pipeline.order(ORDER);
      const { status, body } = await at(uuid, moment);
      expect([status, body.errors.map(({ field }: { field: string }) => field)]).to.deep.equal([400, ['at']]);
    });
  }
});
