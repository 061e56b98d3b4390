import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { createMemoryBus } from '../adapters/memory-bus.ts';
import { createMemoryStore } from '../adapters/memory-store.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { StoreError } from '../saga/store.ts';
import { NOW, uuidOf } from './builders.ts';
import { type Pipeline, startPipeline, topology } from './pipeline.ts';
import { recordedTelemetry } from './recorded-telemetry.ts';

describe('The metrics', () => {
  let pipeline: Pipeline;
  let conflicts = 0;
  /** What is published there reaches nobody, and nobody is told. */
  let deafTopic = '';
  beforeEach(async () => {
    const engine = { store: createMemoryStore(), bus: createMemoryBus(topology, systemClock) };
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
            const heard = messages.filter(({ topic }) => topic !== deafTopic);
            await bus.publish(heard);
            return messages.map(() => undefined);
          },
        },
      }),
      recordedTelemetry(),
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

  it('tell of orders that stood still, and of what people did about a dead letter', async () => {
    deafTopic = 'order-created';
    const { uuid } = await order();
    deafTopic = '';
    await pipeline.post(`/sagas/${uuid}/redrive`, {});
    const unknown = Buffer.from(JSON.stringify({ uuid: uuidOf(1) }));
    await pipeline.bus.publish([{ topic: 'order-created', data: unknown, attributes: {} }]);
    await pipeline.bus.idle();
    const { body } = await pipeline.get('/dead-letters');
    await pipeline.delete(`/dead-letters/${body.letters[0].id}?note=A+test`);
    expect([...(await samples('saga_redrives')), ...(await samples('saga_dead'))]).to.deep.equal([
      'saga_redrives_total 1',
      'saga_dead_letters_total{status="discarded"} 1',
      'saga_dead_letters_total{status="parked"} 1',
    ]);
  });

  it('tell of a request that nobody waited for as that, and not as a success', async () => {
    const { http, page, spans } = recordedTelemetry();
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
    const told = await new Promise<string>((end) => {
      page?.(request as never, { setHeader: () => {}, end } as never, () => {});
    });
    expect(told).to.contain(
      'http_server_request_duration_count{http_request_method="GET",http_route="/audit",http_response_status_code="499"} 1',
    );
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
