import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { validate as isUuid } from 'uuid';
import { createOnce } from '../../saga/commit/create-once.ts';
import { groupCommit } from '../../saga/commit/group-commit.ts';
import { DEAD_LETTER, derivedUuid, parseMessage, REDRIVE } from '../../saga/deliver/message.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import { traceparentIn } from '../../saga/ledger/trace.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { type DeadLetter, deadLetterPath, letterExpiry, letterLine } from './letter.ts';

/** How much of a body is kept. Everything that we publish is smaller. */
export const BODY_BYTES_MAX = 256 * 1024;

/**
 * Keeps each message of the dead-letter topic as a document, once, however often it is delivered: a late duplicate of
 * a letter that was redriven or discarded changes nothing.
 * @returns the function that processes one batch. It never rejects, and acks or nacks every delivery.
 */
export function createParking(
  saga: Saga,
  { store, clock, random, log, observe }: Ports,
  topology: Topology,
): (batch: readonly Delivery[]) => Promise<void> {
  return async (deliveries) => {
    const arrived = deliveries.map((delivery) => ({
      delivery,
      letter: deadLetter(saga, delivery, topology, clock.now()),
    }));
    // A letter's id is derived, so that a second delivery finds the letter.
    const tasks = arrived.map(({ letter }) => createOnce(deadLetterPath(letter.id), letter));
    const settled = await groupCommit(store, { clock, random }, tasks);
    for (const [index, result] of settled.entries()) {
      const { delivery, letter } = arrived[index] as (typeof arrived)[number];
      const failure = result.status === 'rejected' ? String(result.reason) : undefined;
      failure === undefined ? delivery.ack() : delivery.nack();
      const { id, reason, subscription, uuid } = letter;
      const outcome = failure === undefined ? 'parked' : 'surprise';
      const trace = traceparentIn(delivery.attributes.traceparent);
      const { attempt, messageId } = delivery;
      const event = { kind: 'turn', by: 'janitor', outcome, uuid, trace, attempt, error: failure } as const;
      const traceparent = observe?.(event) ?? trace;
      if (result.status === 'fulfilled' && result.value) observe?.({ kind: 'letter', status: 'parked' });
      const done = failure === undefined ? 'parked' : 'not parked, to be repeated';
      const fields = { step: 'janitor', outcome, deadLetter: id, reason, subscription, uuid };
      const how = { messageId, attempt, traceparent, error: failure };
      log('WARNING', `janitor: a dead letter was ${done}`, { ...fields, ...how });
    }
  };
}

function deadLetter(saga: Saga, delivery: Delivery, { subscriptions }: Topology, now: Date): DeadLetter {
  const { data, attributes } = delivery;
  const subscription = attributes[DEAD_LETTER.subscription] ?? 'unknown';
  const kept = data.subarray(0, BODY_BYTES_MAX);
  const encoding = isUtf8(data) ? 'utf8' : 'base64';
  return {
    id: derivedUuid('dead-letter', `${subscription}/${identityOf(delivery)}`),
    status: 'parked',
    reason: attributes[DEAD_LETTER.reason] ?? 'It failed at every delivery',
    subscription,
    attempts: Number.parseInt(attributes[DEAD_LETTER.attempts] ?? '', 10) || 1,
    topic: subscriptions[subscription]?.topic,
    uuid: uuidIn(saga, delivery),
    messageId: attributes[REDRIVE.messageId] ?? attributes[DEAD_LETTER.messageId],
    redriveOf: attributes[REDRIVE.letter],
    attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
    // The decoder drops a last character that the limit has cut in two.
    body: encoding === 'utf8' ? new StringDecoder('utf8').write(kept) : kept.toString('base64'),
    encoding,
    bodyBytes: data.length,
    history: [letterLine(now, 'parked')],
    createdAt: now,
    expireAt: letterExpiry(now),
  };
}

/**
 * What distinguishes one parked message from another. Two operators may redrive a letter at the same moment. Both copies
 * are one message, whatever ids the broker gave them, so if they fail they become one letter. The body counts, too, so that
 * a forged message that names a letter can't keep another one off the desk.
 */
function identityOf({ data, attributes, messageId }: Delivery): string {
  const redriveOf = attributes[REDRIVE.letter];
  if (redriveOf === undefined) return attributes[DEAD_LETTER.messageId] ?? messageId;
  return `${redriveOf}/${createHash('sha256').update(data).digest('hex')}`;
}

/** The order that a message names: in its body, or at least on its envelope. */
function uuidIn(saga: Saga, delivery: Delivery): string | undefined {
  const parsed = parseMessage(saga, delivery, false);
  if ('message' in parsed) return parsed.message.uuid;
  const subject = delivery.attributes['ce-subject'];
  return subject !== undefined && isUuid(subject) ? subject.toLowerCase() : undefined;
}
