import pino, { type DestinationStream } from 'pino';
import { traceparentIn } from '../saga/ledger/trace.ts';
import type { Log, Severity } from '../saga/ports/log.ts';
import { withoutSecrets } from './http/without-secrets.ts';

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
 * @param fields for every line, such as the name of the service.
 * @param projectId the project with the traces that lines belong to; without it, lines don't name their trace to Cloud Logging.
 * @param destination takes the lines instead of standard output.
 */
export function createLog(
  level: LogLevel,
  fields: Readonly<Record<string, string>>,
  { projectId, destination }: { projectId?: string; destination?: DestinationStream } = {},
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
  return (severity, message, more) => logger[levels[severity]](withTrace(more ?? {}, projectId), message);
}

const TRACE = 'logging.googleapis.com/trace';
const SPAN_ID = 'logging.googleapis.com/spanId';
const TRACE_SAMPLED = 'logging.googleapis.com/trace_sampled';

/** A line names its place in a trace as `traceparent`; Cloud Logging wants that in three fields of its own. */
function withTrace(entry: Readonly<Record<string, unknown>>, projectId: string | undefined): object {
  const { traceparent, ...fields } = entry;
  const place = typeof traceparent === 'string' ? traceparentIn(traceparent) : undefined;
  if (place === undefined || projectId === undefined) return entry;
  const [, traceId, spanId, flags = ''] = place.split('-');
  return {
    ...fields,
    [TRACE]: `projects/${projectId}/traces/${traceId}`,
    [SPAN_ID]: spanId,
    [TRACE_SAMPLED]: (Number.parseInt(flags, 16) & 1) === 1,
  };
}

/**
 * The same log, readable, for people who watch it.
 * @param service the name for lines that don't say which service wrote them.
 * @param others the names of other services that write here.
 * @param print gets each readable line.
 */
export function createReadableLog(
  level: LogLevel,
  service: string,
  others: readonly string[],
  print: (line: string) => void,
): Log {
  const readable = readableLines([service, ...others]);
  return createLog(level, {}, { destination: { write: (line) => print(readable(service, line)) } });
}

/**
 * Log lines in a form for people: time, service, sentence, and the fields that matter.
 * @param names of all services that write; their column is as wide as the longest.
 * @returns a function that makes a readable line of a log line or its fields, given the service for lines that don't name
 * one. What is not JSON (a stack trace) is shown as it is.
 */
export function readableLines(names: readonly string[]): (service: string, line: string | Entry) => string {
  const nameWidth = Math.max(...names.map(({ length }) => length));
  return (service, line) => {
    const entry = typeof line === 'string' ? entryIn(line) : line;
    if (entry === undefined) return `${service.padEnd(nameWidth)} ${line}`;
    const { time, severity = 'INFO', message = '', step = service, ...fields } = entry;
    const clock = typeof time === 'string' ? time.slice(11, 23) : '';
    const telling = Object.entries(fields).filter(([name]) => !untold.has(name));
    const details = telling.map(([name, value]) => `${name}=${readableValue(value)}`);
    const sentence = String(message).replace(`${step}: `, '');
    const name = String(step).padEnd(nameWidth);
    return withoutSecrets([clock, String(severity).padEnd(7), name, sentence, ...details].join(' '));
  };
}

type Entry = Readonly<Record<string, unknown>>;

function entryIn(line: string): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? (entry as Entry) : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that the sentence says already, or that only programs need. */
const untold = new Set(['service', 'outcome', 'traceparent', TRACE, SPAN_ID, TRACE_SAMPLED]);

/** Plain words as they are, everything else as JSON, so that no text from outside can look like another line. */
function readableValue(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value);
}
