import type { RequestHandler } from 'express';
import type { Service } from '../../saga/deliver/service.ts';
import type { Log } from '../../saga/ports/log.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';

/**
 * Sees how the pipeline is doing: traces and metrics. It stands around the ports and the services, which know nothing of it,
 * and changes nothing that they do.
 */
export interface Telemetry {
  /** The same ports; what passes through them is seen. */
  ports(ports: Ports): Ports;
  /** The same service; the batches that it processes are seen. */
  service(service: Service): Service;
  /** What every HTTP request passes first. */
  readonly http: readonly RequestHandler[];
  /** Answers with the metrics, as Prometheus reads them; absent where nobody may fetch them. */
  readonly page?: RequestHandler;
  /** Sends what was not sent yet. Never rejects. */
  close(): Promise<void>;
}

/** What is to be seen, and where it is sent. */
export interface TelemetrySettings {
  readonly telemetry: 'off' | 'otlp' | 'google';
  readonly metrics: 'off' | 'prometheus';
  readonly projectId: string;
}

/** Nothing is seen, and nothing costs anything. */
export const noTelemetry: Telemetry = {
  ports: (ports) => ports,
  service: (service) => service,
  http: [],
  close: async () => {},
};

/**
 * The telemetry that the configuration asks for. OpenTelemetry is loaded only where it asks for any.
 * @param service the name under which this process is seen.
 * @param log is told where nothing can be sent.
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
