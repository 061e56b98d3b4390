import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import type { Telemetry } from '../../adapters/telemetry/telemetry.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { advance, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { aLedgerThatIs, LATER, NOW, uuidOf } from '../support/builders.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { recordedTelemetry } from '../support/recorded-telemetry.ts';
import { shopOfThree as saga } from '../support/shop-of-three.ts';

/** What the page of a telemetry says, without a server. */
const toldBy = (page: Telemetry['page'] | undefined): Promise<string> =>
  new Promise((end) => {
    page?.({} as never, { setHeader: () => {}, end } as never, () => {});
  });

describe('The metrics', () => {
  let pipeline: Pipeline;
  let conflicts = 0;
  /** What is published there reaches nobody, and nobody is told. */
  let deafTopic = '';
  /** The next message for it is not published, and whoever publishes is told so. */
  let silentTopic = '';
  beforeEach(async () => {
    const engine = { store: createMemoryStore(), bus: createMemoryBus(topologyOf(saga), systemClock) };
    pipeline = await startPipeline(
      engine,
      ({ store, bus }) => ({
        // Time stands still, so that it is known how long everything took.
        clock: { ...systemClock, now: () => NOW },
        store: {
          ...store,
          async commit(writes) {
            if (conflicts-- > 0) throw new StoreError('conflict', 'Somebody else was faster');
            await store.commit(writes);
          },
        },
        bus: {
          ...bus,
          async publish(messages) {
            const fails = ({ topic }: OutgoingMessage) => topic === silentTopic;
            const heard = messages.filter((message) => message.topic !== deafTopic && !fails(message));
            await bus.publish(heard);
            const results = messages.map((message) => (fails(message) ? new Error('Away') : undefined));
            if (messages.some(fails)) silentTopic = '';
            return results;
          },
        },
      }),
      recordedTelemetry(saga),
      saga,
    );
  });
  afterEach(() => pipeline.close());

  /** What Prometheus gets of these metrics: the samples alone, without the buckets of histograms. */
  const samples = async (prefix: string) => {
    const response = await fetch(`${pipeline.url}/metrics`);
    expect(response.headers.get('content-type')).to.contain('text/plain');
    const lines = (await response.text()).split('\n');
    return lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket{')).sort();
  };
  const order = (fields: object = {}) =>
    pipeline.order({ item: 'widget', quantity: 1, user: 'jack', ...fields });

  it('count a fork from its own beginning, however old what it repeats is', async () => {
    const origin = uuidOf(0xf0);
    const before = new Date(NOW.getTime() - 3_600_000);
    const canceled = aLedgerThatIs('CANCELED', { uuid: origin, createdAt: before }, saga);
    const history = canceled.history.map((line) => line.replace(/^\S+/, before.toISOString()));
    const fields = { ...canceled, history };
    await pipeline.store.commit([{ kind: 'create', path: ledgerPath(origin), fields }]);
    await pipeline.post(`/sagas/${origin}/fork`, { from: 'RECEIVED', note: 'Again' });
    await pipeline.bus.idle();
    expect(await samples('saga_order_duration')).to.deep.equal([
      'saga_order_duration_count{status="PAID"} 1',
      'saga_order_duration_sum{status="PAID"} 0',
    ]);
    const stages = await samples('saga_stage_duration_sum');
    expect(stages.filter((line) => !line.endsWith('} 0'))).to.deep.equal([]);
  });

  it('tell what became of orders and of deliveries', async () => {
    await order();
    await order({ user: 'nobody' });
    await order({ quantity: 1000 });
    await order({ 'payment-error': true });
    conflicts = 1;
    const paid = await order();
    await pipeline.post(`/order/${paid.uuid}/cancel`, {});
    await pipeline.bus.idle();
    await pipeline.bus.publish([{ topic: 'frontend', data: Buffer.from('poison'), attributes: {} }]);
    await pipeline.bus.idle();
    const text = await samples('saga_');
    expect(text).to.deep.equal([
      'saga_batch_size_count{by="frontend"} 6',
      'saga_batch_size_count{by="inventory"} 4',
      'saga_batch_size_count{by="janitor"} 4',
      'saga_batch_size_count{by="order"} 5',
      'saga_batch_size_count{by="payments"} 3',
      'saga_batch_size_sum{by="frontend"} 6',
      'saga_batch_size_sum{by="inventory"} 4',
      'saga_batch_size_sum{by="janitor"} 4',
      'saga_batch_size_sum{by="order"} 5',
      'saga_batch_size_sum{by="payments"} 3',
      'saga_dead_letters_total{status="parked"} 1',
      'saga_deliveries_total{step="inventory",outcome="accepted",repeated="false"} 3',
      'saga_deliveries_total{step="inventory",outcome="refused",repeated="false"} 1',
      'saga_deliveries_total{step="janitor",outcome="compensated",repeated="false"} 4',
      'saga_deliveries_total{step="janitor",outcome="parked",repeated="false"} 1',
      'saga_deliveries_total{step="order",outcome="accepted",repeated="false"} 4',
      'saga_deliveries_total{step="order",outcome="parked",repeated="false"} 1',
      'saga_deliveries_total{step="order",outcome="refused",repeated="false"} 1',
      'saga_deliveries_total{step="payments",outcome="accepted",repeated="false"} 2',
      'saga_deliveries_total{step="payments",outcome="refused",repeated="false"} 1',
      'saga_failures_total{reason="CANCELED_BY_CUSTOMER",by="frontend"} 1',
      'saga_failures_total{reason="INSUFFICIENT_INVENTORY",by="inventory"} 1',
      'saga_failures_total{reason="PAYMENT_ERROR",by="payments"} 1',
      'saga_failures_total{reason="USER_NOT_FOUND",by="order"} 1',
      'saga_order_duration_count{status="CANCELED"} 4',
      'saga_order_duration_count{status="PAID"} 2',
      'saga_order_duration_sum{status="CANCELED"} 0',
      'saga_order_duration_sum{status="PAID"} 0',
      'saga_orders_total{status="CANCELED",reason="CANCELED_BY_CUSTOMER"} 1',
      'saga_orders_total{status="CANCELED",reason="INSUFFICIENT_INVENTORY"} 1',
      'saga_orders_total{status="CANCELED",reason="PAYMENT_ERROR"} 1',
      'saga_orders_total{status="CANCELED",reason="USER_NOT_FOUND"} 1',
      'saga_orders_total{status="PAID"} 2',
      'saga_stage_duration_count{status="CREATED"} 4',
      'saga_stage_duration_count{status="FAILING"} 4',
      'saga_stage_duration_count{status="PAID"} 1',
      'saga_stage_duration_count{status="RECEIVED"} 5',
      'saga_stage_duration_count{status="RESERVED"} 3',
      'saga_stage_duration_sum{status="CREATED"} 0',
      'saga_stage_duration_sum{status="FAILING"} 0',
      'saga_stage_duration_sum{status="PAID"} 0',
      'saga_stage_duration_sum{status="RECEIVED"} 0',
      'saga_stage_duration_sum{status="RESERVED"} 0',
      'saga_store_errors_total{operation="commit",kind="conflict"} 1',
    ]);
  });

  it('tell how long orders took, in seconds', async () => {
    const { ports, page } = recordedTelemetry(saga);
    const { observe } = ports(await recordedPorts());
    const reserved = aLedgerThatIs('RESERVED');
    const paid = advance(saga, reserved, {
      step: 'payments',
      by: 'payments',
      learned: { delivery_cost: 0, charged: 0 },
      now: LATER,
    });
    observe?.({ kind: 'commit', by: 'payments', ledgers: [{ before: reserved, after: paid }] });
    const told = await toldBy(page);
    const seconds = (LATER.getTime() - NOW.getTime()) / 1000;
    expect(told).to.contain(`saga_stage_duration_sum{status="RESERVED"} ${seconds}\n`);
    expect(told).to.contain(`saga_order_duration_sum{status="PAID"} ${seconds}\n`);
  });

  it('tell of deliveries that will come again, and take a sweep for none', async () => {
    silentTopic = 'order-created';
    const { uuid } = await order();
    await pipeline.bus.idle();
    expect(await samples('saga_deliveries_total{step="order"')).to.deep.equal([
      'saga_deliveries_total{step="order",outcome="accepted",repeated="true"} 1',
      'saga_deliveries_total{step="order",outcome="duplicate",repeated="false"} 1',
    ]);
    await pipeline.post(`/sagas/${uuid}/announce`, {});
    await pipeline.post('/sweep', {});
    await pipeline.bus.idle();
    expect(await samples('saga_deliveries_total{step="janitor"')).to.deep.equal([]);
  });

  it('tell of each kind of call of the store that fails', async () => {
    const { ports, page } = recordedTelemetry(saga);
    const away = new StoreError('unavailable', 'The store is away');
    const fail = () => Promise.reject(away);
    const { store } = ports({
      ...(await recordedPorts()),
      store: { ...createMemoryStore(), read: fail, commit: fail, query: fail, due: fail },
    });
    const calls = [
      store.read([]),
      store.commit([]),
      store.query({ collection: 'sagas', orderBy: 'createdAt', limit: 1 } as never),
      store.due({ collection: 'sagas' } as never),
    ];
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).to.deep.equal(
      calls.map(() => 'rejected'),
    );
    const told = await toldBy(page);
    for (const operation of ['read', 'commit', 'query', 'due']) {
      expect(told).to.contain(`saga_store_errors_total{operation="${operation}",kind="unavailable"} 1\n`);
    }
  });

  it('tell of orders that stood still, and of what people did about a dead letter', async () => {
    deafTopic = 'order-created';
    const { uuid } = await order();
    deafTopic = '';
    await pipeline.post(`/sagas/${uuid}/announce`, {});
    const unknown = Buffer.from(JSON.stringify({ uuid: uuidOf(1) }));
    await pipeline.bus.publish([{ topic: 'order-created', data: unknown, attributes: {} }]);
    await pipeline.bus.idle();
    const { body } = await pipeline.get('/dead-letters');
    await pipeline.delete(`/dead-letters/${body.letters[0].id}?note=A+test`);
    expect([...(await samples('saga_repeats')), ...(await samples('saga_dead'))]).to.deep.equal([
      'saga_repeats_total 1',
      'saga_dead_letters_total{status="discarded"} 1',
      'saga_dead_letters_total{status="parked"} 1',
    ]);
  });

  it('tell of a request that nobody waited for as that, and not as a success', async () => {
    const { http, page, spans } = recordedTelemetry(saga);
    const request = {
      method: 'GET',
      path: '/audit',
      route: { path: '/audit' },
      headers: {},
      get: () => undefined,
    };
    const unanswered = { headersSent: false, statusCode: 200, getHeader: () => undefined };
    const response = Object.assign(new EventEmitter(), unanswered);
    for (const handle of http) handle(request as never, response as never, () => {});
    response.emit('close');
    expect(spans().map(({ attributes }) => attributes['http.response.status_code'])).to.deep.equal([499]);
    const told = await toldBy(page);
    expect(told).to.contain(
      'http_server_request_duration_count{http_request_method="GET",http_route="/audit",http_response_status_code="499"} 1',
    );
  });

  it('leave out live streams, which last as long as their readers want', async () => {
    const { http, page } = recordedTelemetry(saga);
    const headers = {};
    const request = {
      method: 'GET',
      path: '/events',
      route: { path: '/events' },
      headers,
      get: () => undefined,
    };
    for (const type of ['text/event-stream', 'application/json']) {
      const answered = { headersSent: true, statusCode: 200, getHeader: () => type };
      const response = Object.assign(new EventEmitter(), answered);
      for (const handle of http) handle(request as never, response as never, () => {});
      response.emit('close');
    }
    expect(await toldBy(page)).to.match(/http_server_request_duration_count\{.*"\/events".*\} 1/);
  });

  it('tell of each request by its route, never by its path, and not of probes', async () => {
    await pipeline.get('/order/11111111-1111-4111-8111-111111111111');
    await pipeline.get('/order/no-uuid');
    await pipeline.get('/users/jack');
    await pipeline.get('/nowhere/at/all');
    await pipeline.get('/readyz');
    await fetch(`${pipeline.url}/order`, { method: 'PATCH' });
    await pipeline.post('/order', { user: 'jack' });
    expect(
      (await samples('http_server_request_duration_count')).map((line) => line.replace(/^\w+/, '')),
    ).to.deep.equal([
      '{http_request_method="GET",http_route="/order/{uuid}",http_response_status_code="404"} 2',
      '{http_request_method="GET",http_route="/users/{user}",http_response_status_code="200"} 1',
      '{http_request_method="GET",http_route="none",http_response_status_code="404"} 1',
      '{http_request_method="PATCH",http_route="/order",http_response_status_code="405"} 1',
      '{http_request_method="POST",http_route="/order",http_response_status_code="400"} 1',
    ]);
  });
});
