import pino, { type DestinationStream } from 'pino';
import type { Log, Severity } from '../saga/log.ts';
import { withoutSecrets } from './without-secrets.ts';

/** pino's levels, by the severities of Cloud Logging. */
const levels = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
} as const satisfies Record<Severity, string>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * One JSON object per line on standard output, in the fields that Cloud Logging reads by itself:
 * https://cloud.google.com/logging/docs/structured-logging
 * @param fields stand in every line, such as the name of the service.
 * @param destination takes the lines instead of standard output.
 */
export function createLog(
  level: LogLevel,
  fields: Readonly<Record<string, string>>,
  destination?: DestinationStream,
): Log {
  const severityOf = Object.fromEntries(Object.entries(levels).map(([severity, name]) => [name, severity]));
  const options = {
    level,
    base: fields,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: severityOf[label] }) },
    hooks: { streamWrite: withoutSecrets },
  };
  const logger = destination ? pino(options, destination) : pino(options);
  return (severity, message, more) => logger[levels[severity]](more ?? {}, message);
}

/** A line of the log as people like to read it: time, who, what, and the fields that matter. */
export function readableLine(service: string, entry: Readonly<Record<string, unknown>>): string {
  const { time, severity = 'INFO', message = '', service: _, step: __, outcome: ___, ...fields } = entry;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const details = Object.entries(fields).map(([name, value]) => `${name}=${readableValue(value)}`);
  const sentence = String(message).replace(`${service}: `, '');
  return withoutSecrets(
    [clock, String(severity).padEnd(7), service.padEnd(9), sentence, ...details].join(' '),
  );
}

/** Words as they are; everything else as JSON, so that no text from outside can pretend to be another line. */
function readableValue(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value);
}
