import type { Meter } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { copiedCount, transitionsOf } from '../../saga/ledger/history.ts';
import { begunAt, CANCELED, FAILING, type Ledger } from '../../saga/ledger/ledger.ts';
import type { CommitEvent, SagaEvent } from '../../saga/ports/observe.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { isEventStream } from '../http/event-streams.ts';
import { routeOf, statusOf } from '../http/http-route.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Metrics. Orders are counted as their ledgers are committed, so each transition counts once, however often its message is
 * delivered. Only a commit whose answer was lost may not count at all. Labels are words of the program, never names that
 * people gave.
 */
export function createMetrics(saga: Saga, meter: Meter): Pick<Telemetry, 'ports' | 'http'> {
  const orders = meter.createCounter('saga.orders', {
    description: 'Orders that came to an end, by status and by the reason of their failure',
  });
  const failures = meter.createCounter('saga.failures', {
    description: 'Orders that began to fail, by reason and by who let them',
  });
  const stages = meter.createHistogram('saga.stage.duration', {
    description: 'How long orders stood in a status before they left it',
    unit: 's',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const runs = meter.createHistogram('saga.order.duration', {
    description: 'How long orders took from their acceptance to their end',
    unit: 's',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const batches = meter.createHistogram('saga.batch.size', {
    description: 'Ledgers that were committed at once, by who moved them',
    advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 150, 200, 240] },
  });
  const repeats = meter.createCounter('saga.repeats', {
    description: 'Standing orders that were announced again because nothing followed',
  });
  const letters = meter.createCounter('saga.dead_letters', {
    description: 'Messages that were parked, redriven or discarded',
  });
  const deliveries = meter.createCounter('saga.deliveries', {
    description: 'Deliveries by step and outcome; whether they will be repeated',
  });
  const storeErrors = meter.createCounter('saga.store.errors', {
    description: 'Calls of the store that failed: a conflict is repeated at once, unavailable may be',
  });
  const requests = meter.createHistogram('http.server.request.duration', {
    description: 'HTTP requests by route and status',
    unit: 's',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });

  function countCommit({ by, ledgers }: CommitEvent): void {
    let moved = 0;
    for (const { before, after } of ledgers) {
      if ((after.repeats ?? 0) > (before?.repeats ?? 0)) repeats.add(1);
      const known = before?.history.length ?? 0;
      if (after.history.length > known) moved++;
      countTransitions(after, known);
    }
    if (moved > 0) batches.record(moved, { by });
  }

  /** @param known how many transitions there were before; a new ledger may pass several stages at once. */
  function countTransitions(ledger: Ledger, known: number): void {
    const transitions = transitionsOf(ledger);
    // What a fork has of another order was counted there.
    const copied = copiedCount(ledger);
    for (const [index, { at, status, by }] of transitions.entries()) {
      if (index < Math.max(known, copied)) continue;
      const before = transitions[index - 1];
      if (before && index > copied) stages.record(seconds(before.at, at), { status: before.status });
      const { reason } = ledger;
      if (status === FAILING) failures.add(1, { reason: String(reason), by });
      if (status !== saga.success && status !== CANCELED) continue;
      orders.add(1, { status, ...(status === CANCELED && reason !== undefined && { reason }) });
      runs.record(seconds(begunAt(ledger), at), { status });
    }
  }

  function count(event: SagaEvent): void {
    if (event.kind === 'commit') countCommit(event);
    else if (event.kind === 'letter') letters.add(1, { status: event.status });
    else if (event.attempt !== undefined) {
      const { by, outcome, error } = event;
      deliveries.add(1, { step: by, outcome, repeated: error !== undefined });
    }
  }

  function watchStore(store: Store): Store {
    const counted = <T>(operation: string, work: Promise<T>): Promise<T> =>
      work.catch((error) => {
        storeErrors.add(1, { operation, kind: error instanceof StoreError ? error.kind : 'unknown' });
        throw error;
      });
    return {
      ...store,
      read: (paths) => counted('read', store.read(paths)),
      commit: (writes) => counted('commit', store.commit(writes)),
      query: (query) => counted('query', store.query(query)),
      due: (query) => counted('due', store.due(query)),
    };
  }

  const serve: RequestHandler = (request, response, next) => {
    const startMs = performance.now();
    response.once('close', () => {
      // A stream lasts as long as its client wants: that says nothing about how fast we are.
      if (isEventStream(response)) return;
      requests.record((performance.now() - startMs) / 1000, {
        'http.request.method': request.method,
        'http.route': routeOf(request) ?? 'none',
        'http.response.status_code': statusOf(response),
      });
    });
    next();
  };

  return {
    ports: (ports) => ({
      ...ports,
      store: watchStore(ports.store),
      observe(event) {
        count(event);
        return ports.observe?.(event);
      },
    }),
    http: [serve],
  };
}

/** From a batch on a laptop to the longest deadline that is likely. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];

const seconds = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;
