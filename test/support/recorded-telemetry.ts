import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { telemetryBy } from '../../adapters/telemetry/opentelemetry.ts';
import type { Telemetry } from '../../adapters/telemetry/telemetry.ts';
import { pipeline } from '../../pipeline.ts';
import type { Saga } from '../../saga/step/saga.ts';

/** Telemetry that is kept instead of sent. */
export interface RecordedTelemetry extends Telemetry {
  /** The spans that have ended. */
  spans(): ReadableSpan[];
}

export function recordedTelemetry(saga: Saga = pipeline): RecordedTelemetry {
  const exporter = new InMemorySpanExporter();
  const page = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: true,
  });
  const telemetry = telemetryBy(saga, emptyResource(), [new SimpleSpanProcessor(exporter)], [page], page);
  return {
    ...telemetry,
    spans: () => exporter.getFinishedSpans(),
    // The exporter forgets when it is shut down, and a test reads what it holds when all is over.
    close: async () => {},
  };
}
