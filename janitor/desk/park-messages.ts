import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { validate as isUuid } from 'uuid';
import { create } from '../../saga/commit/documents.ts';
import { groupCommit, type Task } from '../../saga/commit/group-commit.ts';
import { DEAD_LETTER, derivedUuid, parseMessage, REDRIVE } from '../../saga/deliver/message.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import { traceparentIn } from '../../saga/deliver/trace.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type DeadLetter, deadLetterPath, letterExpiry, letterLine } from './letter.ts';

/** What is kept of a body. Everything that we publish is smaller. */
export const BODY_BYTES_MAX = 256 * 1024;

/**
 * Keeps each message of the dead-letter topic as a document, once, however often it is delivered: a late duplicate of
 * a letter that was redriven or discarded changes nothing.
 * @returns the function that processes one batch. It never rejects, and acks or nacks every delivery.
 */
export function createParking(
  { store, clock, random, log }: Ports,
  topology: Topology,
): (batch: readonly Delivery[]) => Promise<void> {
  return async (deliveries) => {
    const letters = deliveries.map((delivery) => deadLetter(delivery, topology, clock.now()));
    const settled = await groupCommit(store, { clock, random }, letters.map(keep));
    deliveries.forEach((delivery, index) => {
      const failure = settled[index]?.status === 'rejected' ? String(settled[index].reason) : undefined;
      failure === undefined ? delivery.ack() : delivery.nack();
      const { id, reason, subscription, uuid } = letters[index] as DeadLetter;
      const outcome = failure === undefined ? 'parked' : 'surprise';
      const traceparent = traceparentIn(delivery.attributes.traceparent);
      log(
        'WARNING',
        `janitor: a dead letter was ${outcome === 'parked' ? 'parked' : 'not parked, to be repeated'}`,
        {
          step: 'janitor',
          outcome,
          deadLetter: id,
          reason,
          subscription,
          ...(uuid !== undefined && { uuid }),
          messageId: delivery.messageId,
          attempt: delivery.attempt,
          ...(traceparent && { traceparent }),
          ...(failure !== undefined && { error: failure }),
        },
      );
    });
  };
}

/** The letter's own id is derived, so that the second delivery finds it there. */
function keep(letter: DeadLetter): Task<void> {
  const path = deadLetterPath(letter.id);
  return {
    reads: () => [path],
    decide: (documents) => ({
      writes: documents.get(path) === undefined ? [create(path, letter)] : [],
      result: undefined,
    }),
  };
}

function deadLetter(delivery: Delivery, { subscriptions }: Topology, now: Date): DeadLetter {
  const { data, attributes } = delivery;
  const subscription = attributes[DEAD_LETTER.subscription] ?? 'unknown';
  const topic = subscriptions[subscription]?.topic;
  const uuid = uuidIn(delivery);
  const messageId = attributes[REDRIVE.messageId] ?? attributes[DEAD_LETTER.messageId];
  const redriveOf = attributes[REDRIVE.letter];
  const kept = data.subarray(0, BODY_BYTES_MAX);
  const encoding = isUtf8(data) ? 'utf8' : 'base64';
  return {
    id: derivedUuid('dead-letter', `${subscription}/${identityOf(delivery)}`),
    status: 'parked',
    reason: attributes[DEAD_LETTER.reason] ?? 'It failed at every delivery',
    subscription,
    attempts: Number.parseInt(attributes[DEAD_LETTER.attempts] ?? '', 10) || 1,
    ...(topic !== undefined && { topic }),
    ...(uuid !== undefined && { uuid }),
    ...(messageId !== undefined && { messageId }),
    ...(redriveOf !== undefined && { redriveOf }),
    attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
    // The decoder leaves out a last character that the limit has cut in two.
    body: encoding === 'utf8' ? new StringDecoder('utf8').write(kept) : kept.toString('base64'),
    encoding,
    bodyBytes: data.length,
    history: [letterLine(now, 'parked')],
    createdAt: now,
    expireAt: letterExpiry(now),
  };
}

/**
 * What tells one parked message from another. Two people may redrive one letter at the same moment: both copies are one
 * message, whatever ids the broker gave them, so they become one letter if they fail. The bytes are part of it, so that
 * nobody can keep a message from the desk by naming its letter.
 */
function identityOf({ data, attributes, messageId }: Delivery): string {
  const redriveOf = attributes[REDRIVE.letter];
  if (redriveOf === undefined) return attributes[DEAD_LETTER.messageId] ?? messageId;
  return `${redriveOf}/${createHash('sha256').update(data).digest('hex')}`;
}

/** The order that a message names: in its body, or at least on its envelope. */
function uuidIn(delivery: Delivery): string | undefined {
  const parsed = parseMessage(delivery, false);
  if ('message' in parsed) return parsed.message.uuid;
  const subject = delivery.attributes['ce-subject'];
  return subject !== undefined && isUuid(subject) ? subject.toLowerCase() : undefined;
}
