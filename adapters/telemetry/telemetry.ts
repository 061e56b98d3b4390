import type { RequestHandler } from 'express';
import type { Service } from '../../saga/deliver/service.ts';
import type { Log } from '../../saga/ports/log.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';

/**
 * Shows how the pipeline is doing, with traces and metrics. It wraps the ports and the services, which know nothing of it, and
 * changes nothing that they do.
 */
export interface Telemetry {
  /** The same ports, observed. */
  ports(ports: Ports): Ports;
  /** The same service, with its batches observed. */
  service(service: Service): Service;
  /** What every HTTP request passes first. */
  readonly http: readonly RequestHandler[];
  /** Answers with the metrics in Prometheus's format; absent if they can't be fetched. */
  readonly page?: RequestHandler;
  /** Sends what was not sent yet. Never rejects. */
  close(): Promise<void>;
}

/** What to observe, and where to send it. */
export interface TelemetrySettings {
  readonly telemetry: 'off' | 'otlp' | 'google';
  readonly metrics: 'off' | 'prometheus';
  readonly projectId: string;
}

/** Observes nothing, and costs nothing. */
export const noTelemetry: Telemetry = {
  ports: (ports) => ports,
  service: (service) => service,
  http: [],
  close: async () => {},
};

/**
 * The telemetry that the configuration asks for. OpenTelemetry is loaded only if it asks for any.
 * @param service the name of this process in telemetry.
 * @param log gets a line if nothing can be sent.
 */
export async function openTelemetry(
  settings: TelemetrySettings,
  saga: Saga,
  service: string,
  log: Log,
): Promise<Telemetry> {
  if (settings.telemetry === 'off' && settings.metrics === 'off') return noTelemetry;
  const { startTelemetry } = await import('./opentelemetry.ts');
  return startTelemetry(settings, saga, service, log);
}
