import type { Meter } from '@opentelemetry/api';
import type { RequestHandler } from 'express';
import { transitionsOf } from '../../saga/ledger/history.ts';
import type { Saga } from '../../saga/ledger/ledger.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type GuardedWrite, type Store, StoreError } from '../../saga/ports/store.ts';
import { isProbe, routeOf, statusOf } from '../http/http-route.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * Metrics. What becomes of orders is read from the ledgers that are committed, so each transition counts once, whatever is
 * delivered how often; except that one whose commit got no answer may not count at all. Labels are words of the program, never
 * names of users or items.
 */
export function createMetrics(meter: Meter): Pick<Telemetry, 'ports' | 'http'> {
  const orders = meter.createCounter('saga.orders', {
    description: 'Orders that came to PAID or CANCELED, by status and by the reason of their failure',
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
    description: 'How long orders took from their acceptance to PAID or CANCELED',
    unit: 's',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const batches = meter.createHistogram('saga.batch.size', {
    description: 'Ledgers that were committed at once, by who moved them',
    advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 150, 200, 240] },
  });
  const redrives = meter.createCounter('saga.redrives', {
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

  /**
   * Why the orders fail that were read and not yet canceled. Their cancelation is committed as what changes, and the
   * reason does not.
   */
  const reasons = new Map<string, string>();
  function noteReason(path: string, { status, reason }: Partial<Saga>): void {
    if (status !== 'FAILING' || reason === undefined || reasons.has(path)) return;
    if (reasons.size === REASONS_MAX) reasons.delete(reasons.keys().next().value as string);
    reasons.set(path, reason);
  }

  function countCommit(writes: readonly GuardedWrite[]): void {
    let moved = 0;
    let by = '';
    for (const write of writes) {
      if (write.kind === 'remove') continue;
      if (write.path.startsWith('dead-letters/')) {
        const { status } = write.fields as { status?: string };
        if (status !== undefined) letters.add(1, { status });
      }
      if (!write.path.startsWith('sagas/')) continue;
      const fields = write.fields as Partial<Saga>;
      if (fields.redrives) redrives.add(1);
      if (fields.history === undefined) continue;
      moved++;
      // A new ledger may have come several stages at once; after that, each commit is one transition.
      by = countTransitions(write.path, fields, write.kind === 'create' ? fields.history.length : 1);
    }
    if (moved > 0) batches.record(moved, { by });
  }

  /** @returns who moved the ledger last. */
  function countTransitions(path: string, fields: Partial<Saga>, count: number): string {
    const history = fields.history ?? [];
    // Those that are new, and the one before them.
    const transitions = transitionsOf({ history: history.slice(-count - 1) });
    transitions.forEach(({ at, status, by }, index) => {
      if (index < transitions.length - count) return;
      const before = transitions[index - 1];
      if (before) stages.record(seconds(before.at, at), { status: before.status });
      if (status === 'FAILING') failures.add(1, { reason: String(fields.reason), by });
      if (status !== 'PAID' && status !== 'CANCELED') return;
      const reason = fields.reason ?? reasons.get(path);
      reasons.delete(path);
      orders.add(1, { status, ...(reason !== undefined && { reason }) });
      const [first] = transitionsOf({ history: history.slice(0, 1) });
      runs.record(seconds(first?.at ?? at, at), { status });
    });
    return transitions.at(-1)?.by ?? '';
  }

  function watchStore(store: Store): Store {
    async function counted<T>(operation: string, work: Promise<T>): Promise<T> {
      try {
        return await work;
      } catch (error) {
        storeErrors.add(1, { operation, kind: error instanceof StoreError ? error.kind : 'unknown' });
        throw error;
      }
    }
    return {
      ...store,
      async read(paths) {
        const found = await counted('read', store.read(paths));
        for (const [path, { fields }] of found) if (path.startsWith('sagas/')) noteReason(path, fields);
        return found;
      },
      async commit(writes) {
        await counted('commit', store.commit(writes));
        countCommit(writes);
      },
      query: (query) => counted('query', store.query(query)),
      due: (query) => counted('due', store.due(query)),
    };
  }

  const watchLog =
    (log: Ports['log']): Ports['log'] =>
    (severity, message, fields) => {
      if (fields?.outcome !== undefined && fields.messageId !== undefined) {
        const repeated = fields.error !== undefined;
        deliveries.add(1, { step: String(fields.step), outcome: String(fields.outcome), repeated });
      }
      log(severity, message, fields);
    };

  const serve: RequestHandler = (request, response, next) => {
    const startMs = performance.now();
    response.once('close', () => {
      if (isProbe(request)) return;
      requests.record((performance.now() - startMs) / 1000, {
        'http.request.method': request.method,
        'http.route': routeOf(request) ?? 'none',
        'http.response.status_code': statusOf(response),
      });
    });
    next();
  };

  return {
    ports: (ports) => ({ ...ports, store: watchStore(ports.store), log: watchLog(ports.log) }),
    http: [serve],
  };
}

/** From a batch on a laptop to the longest deadline that is likely. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const REASONS_MAX = 10_000;

const seconds = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;
