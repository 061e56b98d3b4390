import { processingSeconds } from '../ledger/processing-time.ts';
import { traceparentIn } from '../ledger/trace.ts';
import type { Delivery } from '../ports/bus.ts';
import type { Ports } from '../ports/ports.ts';
import { StoreError } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import type { LedgerTask, Outcome } from '../step/turn.ts';
import { deadLetterOf, parseMessage, type SagaMessage } from './message.ts';
import { type TakenTurn, takeTurns } from './turns.ts';

/**
 * Does all effects for a party that reacts to messages: parses a batch of deliveries, takes their turns in one commit,
 * publishes, acks. The order is always commit, then publish, then ack: whatever breaks in between, the message comes again
 * and the ledger says how far it got.
 * @param party who reacts, and the task for each message.
 * @param allowNameless whether a message without a uuid is an order of its own.
 * @returns the function that processes one batch. It never rejects, and acks or nacks every delivery.
 */
export const createRunner = (
  saga: Saga,
  { name, taskFor }: { readonly name: string; taskFor(message: SagaMessage): LedgerTask },
  ports: Ports,
  options: ConsumerOptions = {},
): ((deliveries: readonly Delivery[]) => Promise<void>) =>
  createConsumer(
    saga,
    name,
    (messages) => takeTurns(saga, name, messages.map(taskFor), ports),
    ports,
    options,
  );

export interface ConsumerOptions {
  readonly allowNameless?: boolean;
}

/**
 * Hands a party what arrives, whatever it does with it: parses a batch of deliveries, parks those that can't be read, and acks
 * or nacks each when the party is done with it.
 * @param react takes the turns of the messages, in their order. Must not reject.
 * @param allowNameless whether a message without a uuid is an order of its own.
 * @returns the function that processes one batch. It never rejects, and acks or nacks every delivery.
 */
export function createConsumer(
  saga: Saga,
  name: string,
  react: (messages: readonly SagaMessage[]) => Promise<readonly TakenTurn[]>,
  ports: Ports,
  { allowNameless = false }: ConsumerOptions = {},
): (deliveries: readonly Delivery[]) => Promise<void> {
  return async (deliveries) => {
    const startMs = ports.clock.now().getTime();
    const arrived = deliveries.map((delivery) => ({
      delivery,
      parsed: parseMessage(saga, delivery, allowNameless),
    }));
    const readable = arrived.flatMap(({ delivery, parsed }) =>
      'message' in parsed ? [{ delivery, message: parsed.message }] : [],
    );
    const taken = await react(readable.map(({ message }) => message));
    const reports: Report[] = [
      ...arrived.flatMap(({ delivery, parsed }) =>
        'fault' in parsed ? [{ delivery, outcome: 'parked', detail: parsed.fault }] : [],
      ),
      ...readable.map(({ delivery, message }, index) => report(saga, delivery, message, taken[index])),
    ];
    await park(reports, ports);
    for (const { delivery, error } of reports) error === undefined ? delivery.ack() : delivery.nack();
    const durationMs = ports.clock.now().getTime() - startMs;
    for (const entry of reports) logReport(entry, name, deliveries.length, durationMs, ports);
  };
}

/** What became of one delivery. If there is an error, it comes again. */
interface Report {
  readonly delivery: Delivery;
  readonly outcome: string;
  readonly uuid?: string;
  readonly detail?: string | undefined;
  /** The trace of the order, if its ledger has one. */
  readonly trace?: string | undefined;
  /** How long programs took to process the order, if that is done now: the service level is counted by it. */
  readonly processingSeconds?: number | undefined;
  error?: unknown;
}

/** The outcomes after which an order may be processed, and was not before. */
const MOVED: ReadonlySet<Outcome> = new Set<Outcome>(['accepted', 'waiting', 'compensated']);

/**
 * A message that keeps failing is parked at this delivery, shortly before the broker itself would give it up. Only here do
 * we know why it failed, and the first id of the message, without which a redriven order could become a second one.
 */
export const DELIVERIES_MAX = 90;

function report(saga: Saga, delivery: Delivery, { uuid }: SagaMessage, taken: TakenTurn | undefined): Report {
  if (taken === undefined || 'error' in taken) {
    const error = taken?.error ?? new Error('The turn was not taken');
    return delivery.attempt < DELIVERIES_MAX
      ? { delivery, uuid, outcome: 'surprise', error }
      : { delivery, uuid, outcome: 'parked', detail: `It failed at every delivery: ${sentenceOf(error)}` };
  }
  const { turn, publishError: error } = taken;
  const { outcome, detail, ledger } = turn;
  const took = ledger && MOVED.has(outcome) ? processingSeconds(saga, ledger) : undefined;
  return { delivery, uuid, outcome, detail, trace: ledger?.trace, processingSeconds: took, error };
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Hands what can never be processed to the dead-letter desk. If that fails, the message comes again. */
async function park(reports: readonly Report[], { bus }: Ports): Promise<void> {
  const parked = reports.filter(({ outcome }) => outcome === 'parked');
  if (parked.length === 0) return;
  const results = await bus.publish(
    parked.map(({ delivery, detail }) => deadLetterOf(delivery, detail ?? 'No reason was given')),
  );
  parked.forEach((entry, index) => {
    entry.error = results[index];
  });
}

/** Others were faster at a document that many want: that is no fault, and the message comes again. */
const severityOf = (error: unknown) =>
  error instanceof StoreError && error.kind === 'conflict' ? 'WARNING' : 'ERROR';

/** One line tells one delivery's story. */
function logReport(entry: Report, step: string, batchSize: number, durationMs: number, ports: Ports): void {
  const { delivery, outcome, uuid, detail } = entry;
  const { attempt, messageId } = delivery;
  const trace = entry.trace ?? traceparentIn(delivery.attributes.traceparent);
  const error = entry.error === undefined ? undefined : sentenceOf(entry.error);
  const event = { kind: 'turn', by: step, outcome, uuid, trace, attempt, durationMs, error } as const;
  const traceparent = ports.observe?.(event) ?? trace;
  const severity =
    error === undefined ? (outcome === 'parked' ? 'WARNING' : 'INFO') : severityOf(entry.error);
  ports.log(severity, `${step}: ${outcome}${error === undefined ? '' : ', to be repeated'}`, {
    step,
    outcome,
    uuid,
    detail,
    error,
    messageId,
    attempt,
    batchSize,
    durationMs,
    processingSeconds: entry.processingSeconds,
    traceparent,
  });
}
