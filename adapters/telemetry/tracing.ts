import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import type { ConsumerDefinition, Service } from '../../saga/deliver/service.ts';
import { isLedgerPath } from '../../saga/ledger/ledger.ts';
import { traceparentIn } from '../../saga/ledger/trace.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { TurnEvent } from '../../saga/ports/observe.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type GuardedWrite, type Store, StoreError } from '../../saga/ports/store.ts';
import { routeOf, statusOf, uuidIn } from '../http/http-route.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Traces. Each order has one, from the request that brought it to its end, because its ledger remembers that request's place in
 * a trace and all its messages carry it. A batch has a trace of its own, linked to those of its orders, because what is read
 * and committed for many orders at once belongs to none of them.
 */

/** The work under way. Everything done meanwhile is done for it. */
interface Work {
  readonly span: Span;
  /** A batch does all its work itself. An order that a request brings may share a commit with orders of other requests. */
  readonly isBatch: boolean;
}

/** The most links that OpenTelemetry and Google keep per span. In a larger batch, the deliveries all link to the batch. */
const LINKS_MAX = 128;

export function createTracing(tracer: Tracer): Pick<Telemetry, 'ports' | 'service' | 'http'> {
  const current = new AsyncLocalStorage<Work>();

  /**
   * The span of work for the batch under way, or else for orders.
   * @param traceparents the traces of these orders.
   */
  function spanFor(
    name: string,
    attributes: Attributes,
    traceparents: readonly string[] = [],
  ): Span | undefined {
    const work = current.getStore();
    const below = work && trace.setSpan(ROOT_CONTEXT, work.span);
    if (work?.isBatch) return tracer.startSpan(name, { attributes }, below);
    if (traceparents.length > 1) return startShared(name, { attributes }, traceparents);
    const [only] = traceparents;
    if (only !== undefined) return tracer.startSpan(name, { attributes }, contextOf(only));
    // The batcher's run that we are in may have begun with a request that was answered long ago.
    return work?.span.isRecording() ? tracer.startSpan(name, { attributes }, below) : undefined;
  }

  /**
   * The span of work for several orders at once: a trace of its own, with links to theirs. If none of those is sampled, it
   * isn't either.
   */
  function startShared(name: string, options: SpanOptions, traceparents: readonly string[]): Span {
    const sampled = traceparents
      .map(spanContextOf)
      .filter(({ traceFlags }) => traceFlags & TraceFlags.SAMPLED);
    const parent = sampled.length > 0 ? ROOT_CONTEXT : contextOf(traceparents[0]);
    const links = sampled.slice(0, LINKS_MAX).map((context) => ({ context }));
    return tracer.startSpan(name, { ...options, links }, parent);
  }

  async function inSpan<T>(span: Span | undefined, work: () => Promise<T>): Promise<T> {
    if (span === undefined) return work();
    try {
      return await work();
    } catch (error) {
      const message = error instanceof StoreError ? error.kind : String(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      throw error;
    } finally {
      span.end();
    }
  }

  function watchStore(store: Store): Store {
    const spanOf = (operation: string, more: Attributes, traceparents?: readonly string[]) =>
      spanFor(`store ${operation}`, { 'db.operation.name': operation, ...more }, traceparents);
    return {
      ...store,
      read: (paths) => inSpan(spanOf('read', { 'saga.documents': paths.length }), () => store.read(paths)),
      commit(writes) {
        const span = spanOf('commit', { 'saga.documents': writes.length }, tracesOfNewLedgers(writes));
        return inSpan(span, () => store.commit(writes));
      },
      query: (query) =>
        inSpan(spanOf('query', { 'db.collection.name': query.collection }), () => store.query(query)),
      due: (query) =>
        inSpan(spanOf('due', { 'db.collection.name': query.collection }), () => store.due(query)),
    };
  }

  function watchBus(bus: Ports['bus']): Ports['bus'] {
    return {
      ...bus,
      publish(messages) {
        const traceparents = new Set(messages.flatMap(({ attributes }) => attributes.traceparent ?? []));
        const span = spanFor('publish', { 'messaging.batch.message_count': messages.length }, [
          ...traceparents,
        ]);
        return inSpan(span, async () => {
          const results = await bus.publish(messages);
          const failed = results.find((result) => result !== undefined);
          if (failed) span?.setStatus({ code: SpanStatusCode.ERROR, message: failed.message });
          return results;
        });
      },
    };
  }

  /** Every line of the log belongs to the work under way, unless it names a trace itself. */
  const watchLog =
    (log: Ports['log']): Ports['log'] =>
    (severity, message, fields = {}) => {
      const work = current.getStore();
      const place =
        fields.traceparent === undefined && work?.span.isRecording()
          ? { traceparent: traceparentOf(work.span) }
          : {};
      log(severity, message, { ...fields, ...place });
    };

  /** What was done with an order becomes a span in its trace, made afterwards. */
  function observeTurn(
    { by, outcome, uuid, trace: place, attempt, durationMs = 0, error }: TurnEvent,
    endMs: number,
  ) {
    if (place === undefined) return undefined;
    const work = current.getStore();
    const span = tracer.startSpan(
      `${by} ${outcome}`,
      {
        kind: SpanKind.CONSUMER,
        startTime: endMs - durationMs,
        // Only few attributes, because every delivery has them. The name has step and outcome, the log line everything else.
        attributes: { 'saga.uuid': uuid, 'saga.attempt': attempt === 1 ? undefined : attempt },
        links: work?.isBatch ? [{ context: work.span.spanContext() }] : [],
      },
      contextOf(place),
    );
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(endMs);
    return traceparentOf(span);
  }

  function watchConsumer({ topic, process }: ConsumerDefinition, service: string): ConsumerDefinition {
    return {
      topic,
      async process(deliveries) {
        const arrivals: Span[] = [];
        const traced = deliveries.map((delivery): Delivery => {
          if (traceparentIn(delivery.attributes.traceparent) !== undefined) return delivery;
          // Its publisher traces nothing, so the trace begins where the message arrives, and the ledger keeps it.
          const span = tracer.startSpan(`${topic} arrived`, { kind: SpanKind.CONSUMER }, ROOT_CONTEXT);
          arrivals.push(span);
          return { ...delivery, attributes: { ...delivery.attributes, traceparent: traceparentOf(span) } };
        });
        const attributes = {
          'messaging.destination.name': topic,
          'messaging.batch.message_count': deliveries.length,
        };
        const span = startShared(
          `${service} batch`,
          { kind: SpanKind.CONSUMER, attributes },
          traced.map(({ attributes: { traceparent = '' } }) => traceparent),
        );
        await current.run({ span, isBatch: true }, () => process(traced));
        for (const one of [...arrivals, span]) one.end();
      },
    };
  }

  const serve: RequestHandler = (request, response, next) => {
    const { method } = request;
    const parent = traceparentIn(request.get('traceparent'));
    const span = tracer.startSpan(method, { kind: SpanKind.SERVER }, contextOf(parent));
    // The order that the request brings belongs to this span, so the route finds this span in its header.
    request.headers.traceparent = traceparentOf(span);
    response.once('close', () => {
      const route = routeOf(request);
      const status = statusOf(response);
      const uuid = request.params?.uuid ?? uuidIn(String(response.getHeader('location')));
      if (route !== undefined) span.updateName(`${method} ${route}`);
      span.setAttributes({
        'http.request.method': method,
        'http.response.status_code': status,
        'http.route': route,
        'saga.uuid': uuid,
      });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
    current.run({ span, isBatch: false }, next);
  };

  return {
    ports: (ports) => ({
      ...ports,
      store: watchStore(ports.store),
      bus: watchBus(ports.bus),
      log: watchLog(ports.log),
      observe(event) {
        const heard = ports.observe?.(event);
        return event.kind === 'turn' ? observeTurn(event, ports.clock.now().getTime()) : heard;
      },
    }),
    service: (service): Service => ({
      ...service,
      consumers: service.consumers.map((consumer) => watchConsumer(consumer, service.name)),
    }),
    http: [serve],
  };
}

/** A commit says the trace of an order only when the order begins; it never changes later. */
function tracesOfNewLedgers(writes: readonly GuardedWrite[]): string[] {
  return writes.flatMap((write) => {
    const isNewLedger = write.kind === 'create' && isLedgerPath(write.path);
    return isNewLedger ? ((write.fields as { trace?: string }).trace ?? []) : [];
  });
}

function contextOf(traceparent: string | undefined): Context {
  if (traceparent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(traceparent));
}

function spanContextOf(traceparent: string) {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16),
    isRemote: true,
  };
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
