import { randomUUID } from 'node:crypto';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { GoogleAuth } from 'google-auth-library';
import type { Log } from '../../saga/ports/log.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { exceptForProbes } from '../http/http-route.ts';
import { createMetrics } from './metrics.ts';
import { createSampler } from './sampling.ts';
import type { Telemetry, TelemetrySettings } from './telemetry.ts';
import { createTracing } from './tracing.ts';

/**
 * Telemetry by OpenTelemetry. Only `openTelemetry` loads this module, and with it the packages.
 *
 * OpenTelemetry's own variables apply: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_BSP_…,
 * OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
export function startTelemetry(
  { telemetry, metrics, projectId }: TelemetrySettings,
  saga: Saga,
  service: string,
  log: Log,
): Telemetry {
  tellOfFailures(log);
  const page = metrics === 'prometheus' ? new PrometheusExporter({ preventServerStart: true }) : undefined;
  const exporters = exportersOf(telemetry);
  return telemetryBy(
    saga,
    resourceOf(saga, service, telemetry === 'google' ? { 'gcp.project_id': projectId } : {}),
    exporters ? [new BatchSpanProcessor(exporters.traces)] : [],
    [
      ...(page ? [page] : []),
      ...(exporters ? [new PeriodicExportingMetricReader({ exporter: exporters.metrics })] : []),
    ],
    page,
  );
}

/** @param page serves the metrics to programs that fetch them. */
export function telemetryBy(
  saga: Saga,
  resource: Resource,
  spanProcessors: SpanProcessor[],
  readers: MetricReader[],
  page?: PrometheusExporter,
): Telemetry {
  const meters = new MeterProvider({ resource, readers });
  const measured = createMetrics(saga, meters.getMeter(saga.name));
  const sampler = process.env.OTEL_TRACES_SAMPLER ? {} : { sampler: createSampler() };
  const tracers = new BasicTracerProvider({ resource, spanProcessors, ...sampler });
  // If only metrics are wanted, nothing is traced here, and an order keeps the trace that its caller gave it.
  const traced = spanProcessors.length > 0 ? createTracing(tracers.getTracer(saga.name)) : undefined;
  return {
    ports: (ports) => measured.ports(traced?.ports(ports) ?? ports),
    service: (one) => traced?.service(one) ?? one,
    http: [...measured.http, ...(traced?.http ?? [])].map(exceptForProbes),
    ...(page && { page: (request, response) => page.getMetricsRequestHandler(request, response) }),
    async close() {
      await Promise.allSettled([tracers.shutdown(), meters.shutdown()]);
    },
  };
}

/** What the environment says about the resource takes precedence. */
function resourceOf(saga: Saga, service: string, more: Record<string, string>): Resource {
  const own = resourceFromAttributes({
    'service.namespace': saga.name,
    'service.name': service,
    // Each instance needs a series of its own; without this they would be mixed up.
    'service.instance.id': randomUUID(),
    ...more,
  });
  return own.merge(detectResources({ detectors: [envDetector] }));
}

function exportersOf(telemetry: TelemetrySettings['telemetry']) {
  if (telemetry === 'off') return undefined;
  if (telemetry === 'otlp') return { traces: new OTLPTraceExporter(), metrics: new OTLPMetricExporter() };
  // Google accepts OTLP directly: https://cloud.google.com/stackdriver/docs/reference/telemetry/overview
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });
  const headers = () => credentialsOf(auth);
  const url = 'https://telemetry.googleapis.com/v1';
  return {
    traces: new OTLPTraceExporter({ url: `${url}/traces`, headers }),
    metrics: new OTLPMetricExporter({ url: `${url}/metrics`, headers }),
  };
}

/** The exporter can't handle an error here. Without credentials Google refuses the export, and that is logged. */
async function credentialsOf(auth: GoogleAuth): Promise<Record<string, string>> {
  try {
    return Object.fromEntries(await auth.getRequestHeaders());
  } catch (error) {
    diag.error('No credentials for Google', String(error));
    return {};
  }
}

const TOLD_EVERY_MS = 60_000;

/** Logs that the collector is away, but not again and again. */
function tellOfFailures(log: Log): void {
  let toldMs = Number.NEGATIVE_INFINITY;
  const tell = (...words: unknown[]): void => {
    if (performance.now() - toldMs < TOLD_EVERY_MS) return;
    toldMs = performance.now();
    log('WARNING', 'Telemetry is not sent as it should be', { error: words.join(' ') });
  };
  const ignore = (): void => {};
  diag.setLogger(
    { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore },
    DiagLogLevel.WARN,
  );
}
