import type { Delivery } from '../ports/bus.ts';
import type { Ports } from '../ports/ports.ts';
import type { Reaction } from '../step/reaction.ts';
import { type TakenTurn, type TurnTask, takeTurns } from '../step/turns.ts';
import { deadLetterOf, parseMessage, type SagaMessage } from './message.ts';
import { traceparentIn } from './trace.ts';

/**
 * Does all effects for a reaction: parses a batch of deliveries, takes their turns in one commit, publishes, acks.
 * The order is always commit, then publish, then ack: whatever breaks in between, the message comes again and finds
 * in the ledger how far it got.
 * @param allowNameless whether a message without a uuid is an order of its own.
 * @returns the function that processes one batch. It never rejects, and acks or nacks every delivery.
 */
export function createRunner(
  reaction: Reaction,
  ports: Ports,
  { allowNameless = false } = {},
): (deliveries: readonly Delivery[]) => Promise<void> {
  return async (deliveries) => {
    const startMs = ports.clock.now().getTime();
    const arrived = deliveries.map((delivery) => ({
      delivery,
      parsed: parseMessage(delivery, allowNameless),
    }));
    const readable = arrived.flatMap(({ delivery, parsed }) =>
      'message' in parsed ? [{ delivery, message: parsed.message }] : [],
    );
    const taken = await takeTurns(
      reaction.name,
      readable.map(({ message }) => turnTask(reaction, message)),
      ports,
    );
    const reports: Report[] = [
      ...arrived.flatMap(({ delivery, parsed }) =>
        'fault' in parsed ? [{ delivery, outcome: 'parked', detail: parsed.fault }] : [],
      ),
      ...readable.map(({ delivery, message }, index) => report(delivery, message, taken[index])),
    ];
    await park(reports, ports);
    for (const { delivery, error } of reports) error === undefined ? delivery.ack() : delivery.nack();
    const durationMs = ports.clock.now().getTime() - startMs;
    for (const entry of reports) logReport(entry, reaction.name, deliveries.length, durationMs, ports);
  };
}

/** What became of one delivery. With an error it comes again. */
interface Report {
  readonly delivery: Delivery;
  readonly outcome: string;
  readonly uuid?: string;
  readonly detail?: string | undefined;
  /** The trace of the order, where its ledger says so. */
  readonly trace?: string | undefined;
  error?: unknown;
}

function turnTask(reaction: Reaction, message: SagaMessage): TurnTask {
  return {
    uuid: message.uuid,
    reads: (saga) => reaction.reads(saga, message),
    take: (saga, documents, now) => reaction.react(saga, message, documents, now),
  };
}

/**
 * What fails again and again is parked at this delivery, shortly before the broker itself would give it up: only here is
 * known why it failed, and the first id of the message, without which a redriven order could become a second one.
 */
export const DELIVERIES_MAX = 90;

function report(delivery: Delivery, { uuid }: SagaMessage, taken: TakenTurn | undefined): Report {
  const story = { delivery, uuid };
  if (taken === undefined || 'error' in taken) {
    const error = taken?.error ?? new Error('The turn was not taken');
    return delivery.attempt < DELIVERIES_MAX
      ? { ...story, outcome: 'surprise', error }
      : { ...story, outcome: 'parked', detail: `It failed at every delivery: ${sentenceOf(error)}` };
  }
  const { turn, publishError } = taken;
  return {
    ...story,
    outcome: turn.outcome,
    detail: turn.detail,
    trace: turn.saga?.trace,
    ...(publishError && { error: publishError }),
  };
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Hands what can never be processed to the dead-letter desk. Where that fails, the message comes again. */
async function park(reports: readonly Report[], { bus }: Ports): Promise<void> {
  const parked = reports.filter(({ outcome }) => outcome === 'parked');
  if (parked.length === 0) return;
  const results = await bus.publish(
    parked.map(({ delivery, detail }) => deadLetterOf(delivery, detail ?? 'No reason was given')),
  );
  parked.forEach((entry, index) => {
    if (results[index]) entry.error = results[index];
  });
}

/** One line tells one delivery's story. */
function logReport(entry: Report, step: string, batchSize: number, durationMs: number, { log }: Ports): void {
  const { delivery, outcome, uuid, detail, error } = entry;
  const traceparent = entry.trace ?? traceparentIn(delivery.attributes.traceparent);
  const severity = error !== undefined ? 'ERROR' : outcome === 'parked' ? 'WARNING' : 'INFO';
  log(severity, `${step}: ${outcome}${error === undefined ? '' : ', to be repeated'}`, {
    step,
    outcome,
    ...(uuid && { uuid }),
    ...(detail && { detail }),
    ...(error !== undefined && { error: sentenceOf(error) }),
    messageId: delivery.messageId,
    attempt: delivery.attempt,
    batchSize,
    durationMs,
    ...(traceparent && { traceparent }),
  });
}
