import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { aLedger, uuidOf } from '../support/builders.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { type RecordedTelemetry, recordedTelemetry } from '../support/recorded-telemetry.ts';
import { shopOfThree as saga } from '../support/shop-of-three.ts';
import { doublingBus } from '../support/tracking-bus.ts';

const TRACE_ID = 'a1'.repeat(16);
const CALLER = `00-${TRACE_ID}-${'b2'.repeat(8)}-01`;
const ORDER = { item: 'widget', quantity: 1, user: 'jack' };

const traceOf = (span: ReadableSpan) => span.spanContext().traceId;
const idOf = (span: ReadableSpan) => span.spanContext().spanId;

describe('The trace of an order', () => {
  let telemetry: RecordedTelemetry;
  let pipeline: Pipeline;
  const logged: Record<string, unknown>[] = [];
  const open = async (wrap: (ports: Ports) => Partial<Ports> = () => ({})) => {
    telemetry = recordedTelemetry(saga);
    const engine = { store: createMemoryStore(), bus: createMemoryBus(topologyOf(saga), systemClock) };
    pipeline = await startPipeline(
      engine,
      (ports) => ({
        log: (severity, message, fields) => logged.push({ severity, message, ...fields }),
        ...wrap(ports),
      }),
      telemetry,
      saga,
    );
  };
  beforeEach(() => {
    logged.length = 0;
  });
  /** All spans, once every request is over. */
  const spansAtTheEnd = async () => {
    await pipeline.close();
    return telemetry.spans();
  };
  /** The first commit of a payment fails. */
  const failingOnce =
    (error: Error) =>
    ({ store }: Ports): Partial<Ports> => {
      let failed = false;
      return {
        store: {
          ...store,
          async commit(writes) {
            if (failed || !writes.some(({ path }) => path.startsWith('payments/')))
              return store.commit(writes);
            failed = true;
            throw error;
          },
        },
      };
    };
  /** The names of the spans in one trace, each with that of its parent. */
  const treeOf = (spans: readonly ReadableSpan[], traceId: string) => {
    const names = new Map(spans.map((span) => [idOf(span), span.name]));
    return spans
      .filter((span) => traceOf(span) === traceId)
      .map(({ name, parentSpanContext }) => {
        const parent = parentSpanContext?.spanId ?? '';
        return `${name} < ${names.get(parent) ?? parent}`;
      })
      .sort();
  };

  it('goes from its request to PAID, below the span of whoever sent the request', async () => {
    await open();
    await pipeline.order(ORDER, { traceparent: CALLER });
    expect(treeOf(await spansAtTheEnd(), TRACE_ID)).to.deep.equal([
      `POST /order < ${'b2'.repeat(8)}`,
      'inventory accepted < POST /order',
      'order accepted < POST /order',
      'payments accepted < POST /order',
      'publish < POST /order',
      'store commit < POST /order',
    ]);
  });

  it('takes in its failure and its compensation', async () => {
    await open();
    await pipeline.order({ ...ORDER, user: 'nobody' }, { traceparent: CALLER });
    expect(treeOf(await spansAtTheEnd(), TRACE_ID)).to.include.members([
      'order refused < POST /order',
      'janitor compensated < POST /order',
    ]);
  });

  it('takes in every redelivery', async () => {
    await open(({ bus }) => ({ bus: doublingBus(bus) }));
    await pipeline.order(ORDER, { traceparent: CALLER });
    const tree = treeOf(await spansAtTheEnd(), TRACE_ID);
    for (const { name: step } of saga.steps) {
      const ofStep = tree.filter((line) => line.startsWith(`${step} `));
      expect(ofStep).to.have.length.of.at.least(4);
      expect(ofStep.filter((line) => line === `${step} accepted < POST /order`)).to.have.length(1);
      expect(new Set(ofStep)).to.deep.equal(
        new Set([`${step} accepted < POST /order`, `${step} duplicate < POST /order`]),
      );
    }
  });

  it('takes in what follows from an announcement by hand, although that was asked for in another trace', async () => {
    let lost = 0;
    await open(({ bus }) => ({
      bus: {
        ...bus,
        publish(messages) {
          const heard = messages.filter(({ topic }) => topic !== 'order-created' || lost++ > 0);
          return heard.length > 0 ? bus.publish(heard) : Promise.resolve([undefined]);
        },
      },
    }));
    const { uuid, status } = await pipeline.order(ORDER, { traceparent: CALLER });
    expect(status).to.equal('CREATED');
    const before = telemetry.spans().length;
    await pipeline.post(`/sagas/${uuid}/announce`, {}, { traceparent: CALLER.replaceAll('a1', 'd4') });
    await pipeline.bus.idle();
    expect(await pipeline.ledger(uuid)).to.include({ status: 'PAID' });
    const spans = await spansAtTheEnd();
    const request = idOf(spans.find(({ name }) => name === 'POST /order') as ReadableSpan);
    expect(treeOf(spans.slice(before), TRACE_ID)).to.deep.equal([
      `inventory accepted < ${request}`,
      `payments accepted < ${request}`,
      `publish < ${request}`,
    ]);
  });

  it('is known from the ledger where a message bears none', async () => {
    await open();
    const { uuid } = await pipeline.order(ORDER, { traceparent: CALLER });
    await pipeline.bus.publish([
      { topic: 'inventory-updated', data: Buffer.from(JSON.stringify({ uuid })), attributes: {} },
    ]);
    await pipeline.bus.idle();
    expect(treeOf(await spansAtTheEnd(), TRACE_ID)).to.include('payments duplicate < POST /order');
  });

  it('begins where its message arrives, where nobody has begun it before', async () => {
    await open();
    await pipeline.bus.publish([
      { topic: 'frontend', data: Buffer.from(JSON.stringify(ORDER)), attributes: {} },
    ]);
    await pipeline.bus.idle();
    const spans = await spansAtTheEnd();
    const first = spans.find(({ name }) => name === 'frontend arrived') as ReadableSpan;
    expect(treeOf(spans, traceOf(first))).to.deep.equal([
      'frontend arrived < ',
      'inventory accepted < frontend arrived',
      'order accepted < frontend arrived',
      'payments accepted < frontend arrived',
    ]);
  });

  it('begins where its message arrives with what is no place in a trace', async () => {
    await open();
    await pipeline.bus.publish([
      {
        topic: 'frontend',
        data: Buffer.from(JSON.stringify(ORDER)),
        attributes: { traceparent: '00-0-0-01' },
      },
    ]);
    await pipeline.bus.idle();
    const spans = await spansAtTheEnd();
    expect(spans.map(({ name }) => name)).to.include.members(['frontend arrived', 'payments accepted']);
  });

  it('is not begun by probes', async () => {
    await open();
    for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json'])
      await fetch(`${pipeline.url}${path}`);
    const spans = await spansAtTheEnd();
    expect(spans.map(({ name }) => name)).to.deep.equal(['GET /openapi.json']);
  });

  it('is linked from the commit that begins several orders, and from their publication', async () => {
    const { ports, spans } = recordedTelemetry(saga);
    const { store, bus } = ports(await recordedPorts());
    const traces = ['1', '2', '3'].map((digit) => `00-${digit.repeat(32)}-${'c3'.repeat(8)}-01`);
    const ledgers = traces.map((trace, index) => aLedger({ uuid: uuidOf(index), trace }));
    await store.commit(
      ledgers.map((ledger) => ({ kind: 'create', path: ledgerPath(ledger.uuid), fields: ledger })),
    );
    await bus.publish(ledgers.map((ledger) => messageFor(saga, ledger)));
    expect(
      spans().map(({ name, links }) => [name, links.map(({ context }) => context.traceId)]),
    ).to.deep.equal(
      ['store commit', 'publish'].map((name) => [name, ['1', '2', '3'].map((digit) => digit.repeat(32))]),
    );
  });

  it('shows as failed what failed: a publication, its delivery, and a request', async () => {
    let isAway = true;
    await open(({ bus, store }) => ({
      bus: {
        ...bus,
        publish(messages) {
          if (!isAway || messages[0]?.topic !== 'order-created') return bus.publish(messages);
          isAway = false;
          return Promise.resolve(messages.map(() => new Error('The broker is away')));
        },
      },
      store: { ...store, query: () => Promise.reject(new StoreError('unavailable', 'The store is away')) },
    }));
    await pipeline.order(ORDER, { traceparent: CALLER });
    await pipeline.get('/orders');
    const failed = (await spansAtTheEnd()).filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect([...new Set(failed.map(({ name, status: { message } }) => `${name}: ${message}`))]).to.deep.equal([
      'publish: The broker is away',
      'order accepted: The broker is away',
      'store query: unavailable',
      'GET /orders: undefined',
    ]);
  });

  it('is linked to each batch that it was in, and the batch to all of its orders', async () => {
    await open();
    const traces = Array.from({ length: 3 }, (_, index) => `${index + 1}`.repeat(32));
    await pipeline.bus.publish(
      traces.map((traceId) => ({
        topic: 'frontend',
        data: Buffer.from(JSON.stringify(ORDER)),
        attributes: { traceparent: `00-${traceId}-${'c3'.repeat(8)}-01` },
      })),
    );
    await pipeline.bus.idle();
    const spans = await spansAtTheEnd();
    const [batch] = spans.filter(({ name }) => name === 'order batch');
    expect(batch?.links.map(({ context }) => context.traceId)).to.deep.equal(traces);
    expect(treeOf(spans, traceOf(batch as ReadableSpan))).to.deep.equal([
      'order batch < ',
      'publish < order batch',
      'store commit < order batch',
      'store read < order batch',
    ]);
    const deliveries = spans.filter(({ name }) => name === 'order accepted');
    expect(deliveries.map(traceOf)).to.deep.equal(traces);
    for (const { links } of deliveries) {
      expect(links.map(({ context }) => context.spanId)).to.deep.equal([idOf(batch as ReadableSpan)]);
    }
  });

  const arriveAtOnce = (flags: readonly string[]) =>
    pipeline.bus.publish(
      flags.map((sampled, index) => ({
        topic: 'frontend',
        data: Buffer.from(JSON.stringify(ORDER)),
        attributes: {
          traceparent: `00-${(index + 1).toString(16).padStart(32, '0')}-${'c3'.repeat(8)}-${sampled}`,
        },
      })),
    );

  it('is linked from a batch only where somebody wants it, and a batch that nobody wants has none', async () => {
    await open();
    await arriveAtOnce(['00', '01', '00', '01']);
    await pipeline.bus.idle();
    await arriveAtOnce(['00', '00']);
    await pipeline.bus.idle();
    const spans = await spansAtTheEnd();
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [batch, ...others] = named('order batch');
    expect(batch?.links).to.have.length(2);
    expect(others).to.deep.equal([]);
    expect(named('order accepted')).to.have.length(2);
    const commits = named('store commit').filter((span) => traceOf(span) === traceOf(batch as ReadableSpan));
    expect(commits).to.have.length(1);
  });

  it('is linked from a large batch as far as links are kept, and nobody is warned of the others', async () => {
    await open();
    await arriveAtOnce(Array.from({ length: 150 }, () => '01'));
    await pipeline.bus.idle();
    const spans = await spansAtTheEnd();
    const batch = spans.find(({ name }) => name === 'order batch') as ReadableSpan;
    expect(batch.links).to.have.length(128);
    expect(batch.droppedLinksCount).to.equal(0);
    const deliveries = spans.filter(({ name }) => name === 'order accepted');
    expect(deliveries).to.have.length(150);
    for (const { links } of deliveries) expect(links[0]?.context.spanId).to.equal(idOf(batch));
  });

  it('says of each delivery what it was and what became of it, and never who ordered', async () => {
    await open();
    const { uuid } = await pipeline.order(ORDER, { traceparent: CALLER });
    const spans = await spansAtTheEnd();
    expect(spans.find(({ name }) => name === 'payments accepted')?.attributes).to.deep.equal({
      'saga.uuid': uuid,
    });
    expect(spans.find(({ name }) => name === 'POST /order')?.attributes).to.deep.equal({
      'http.request.method': 'POST',
      'http.route': '/order',
      'http.response.status_code': 202,
      'saga.uuid': uuid,
    });
    const told = JSON.stringify(spans.map(({ name, attributes, status }) => [name, attributes, status]));
    expect(told).not.to.contain('jack').and.not.to.contain('Hill Road');
  });

  it('says which attempt it was, where a delivery was not the first', async () => {
    await open(failingOnce(new Error('The commit failed')));
    await pipeline.order(ORDER, { traceparent: CALLER });
    const spans = await spansAtTheEnd();
    const attempts = spans.flatMap(({ name, attributes }) =>
      name.startsWith('payments ') && 'saga.uuid' in attributes
        ? [`${name} ${attributes['saga.attempt'] ?? 1}`]
        : [],
    );
    expect(attempts).to.deep.equal(['payments surprise 1', 'payments accepted 2']);
  });

  it('stands in the line of the log that tells of the delivery, with the span of just that delivery', async () => {
    await open();
    await pipeline.order(ORDER, { traceparent: CALLER });
    const spans = await spansAtTheEnd();
    const expected = spans.filter(({ name }) => / accepted$/.test(name));
    expect(
      logged.filter(({ outcome }) => outcome === 'accepted').map(({ traceparent }) => traceparent),
    ).to.deep.equal(expected.map((span) => `00-${TRACE_ID}-${idOf(span)}-01`));
  });

  it('shows a commit that failed, below its batch', async () => {
    await open(failingOnce(new StoreError('conflict', 'Somebody else was faster')));
    await pipeline.order(ORDER, { traceparent: CALLER });
    const spans = await spansAtTheEnd();
    const batch = spans.find(({ name }) => name === 'payments batch') as ReadableSpan;
    const commits = spans.filter(
      ({ name, parentSpanContext }) => name === 'store commit' && parentSpanContext?.spanId === idOf(batch),
    );
    expect(commits.map(({ status }) => status.message)).to.deep.equal(['conflict', undefined]);
  });

  it('is begun a hundred times a second at most, unless OpenTelemetry is told otherwise', async () => {
    const arrive = async () => {
      await open();
      const message = { topic: 'frontend', data: Buffer.from('{}'), attributes: {} };
      await pipeline.bus.publish(Array.from({ length: 1000 }, () => message));
      await pipeline.bus.idle();
      return (await spansAtTheEnd()).filter(({ name }) => name === 'frontend arrived').length;
    };
    expect(await arrive()).to.be.within(100, 999);
    process.env.OTEL_TRACES_SAMPLER = 'always_on';
    const all = await arrive().finally(() => {
      delete process.env.OTEL_TRACES_SAMPLER;
    });
    expect(all).to.equal(1000);
  });

  it('is not made where whoever sent the request does not want it', async () => {
    await open();
    const unsampled = CALLER.replace(/01$/, '00');
    const saga = await pipeline.order(ORDER, { traceparent: unsampled });
    expect(treeOf(await spansAtTheEnd(), TRACE_ID)).to.deep.equal([]);
    expect(saga.trace).to.match(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
  });
});
