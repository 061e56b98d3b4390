import { validate as isUuid, v5 as uuidv5 } from 'uuid';
import { type InputFault, type Order, parseOrderOfMessage } from '../../shop/order.ts';
import { lastTransition } from '../ledger/history.ts';
import { emissionFor, REASONS, type Reason, type Saga } from '../ledger/ledger.ts';
import type { Delivery, OutgoingMessage } from '../ports/bus.ts';
import { traceparentIn } from './trace.ts';

/**
 * Messages are hints: they say which ledger to look at, and carry a snapshot for people. What a message claims
 * about amounts, prices or items decides nothing once a ledger exists.
 */

/** A message as the reactions see it. */
export interface SagaMessage {
  readonly uuid: string;
  /** The order that the message describes, where it describes a valid one. */
  readonly order?: Order;
  /** What is wrong with the order that the message describes, where something is. */
  readonly orderFault?: string;
  /** Why the order failed, according to the message. */
  readonly reason?: Reason;
  /** The trace that the message belongs to, as a W3C traceparent. An order that begins with it remembers it. */
  readonly trace?: string;
}

/** Either a message or the reason why it can't be one. */
export type ParsedMessage = { readonly message: SagaMessage } | { readonly fault: string };

/** A snapshot of the largest order is well below this; nothing larger is ours. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** What is told of the faults of an order: a log line and a dead letter stay small, whatever was sent. */
const ORDER_FAULT_LENGTH_MAX = 1000;

/** Namespace of the uuids that are derived from other ids. Fixed for ever: it makes the same id from the same key. */
const DERIVED_IDS = 'd1a8e6a2-6b0f-4c39-9c43-0a4f8f1c2f6e';

/** The uuid that belongs to a key, always the same one. `kind` keeps keys of different origin apart. */
export function derivedUuid(kind: 'idempotency-key' | 'message-id' | 'dead-letter', key: string): string {
  // As bytes: of a text with half a surrogate pair the library makes none, and throws.
  return uuidv5(Buffer.from(`${kind}/${key}`), DERIVED_IDS);
}

/**
 * Reads what arrived, doubting all of it.
 * @param allowNameless whether a message without a uuid is an order of its own, whose uuid is then derived from
 * the broker's id of the message, so that a redelivery is the same order. A redriven message has another id, so it
 * carries the first one in an attribute. Whoever forges that attribute gains nothing: they name an order, as they
 * could have done with a uuid in the body, and the ledger of that order decides what the message may do.
 */
export function parseMessage(
  { data, attributes, messageId }: Pick<Delivery, 'data' | 'attributes' | 'messageId'>,
  allowNameless: boolean,
): ParsedMessage {
  if (data.length > MESSAGE_BYTES_MAX) {
    return { fault: `The message has more than ${MESSAGE_BYTES_MAX} bytes` };
  }
  const specversion = attributes['ce-specversion'];
  if (specversion !== undefined && specversion !== '1.0') {
    return { fault: `CloudEvents version ${specversion.slice(0, 20)} is not supported, only 1.0` };
  }
  let body: unknown;
  try {
    body = JSON.parse(data.toString('utf8'));
  } catch {
    return { fault: 'The message is not JSON' };
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { fault: 'The message is not a JSON object' };
  }
  const firstId = attributes[REDRIVE.messageId] ?? messageId;
  const trace = traceparentIn(attributes.traceparent);
  return parseBody(body as Record<string, unknown>, firstId, allowNameless, trace);
}

function parseBody(
  body: Record<string, unknown>,
  messageId: string,
  allowNameless: boolean,
  trace: string | undefined,
): ParsedMessage {
  const uuid = body.uuid === undefined && allowNameless ? derivedUuid('message-id', messageId) : body.uuid;
  if (uuid === undefined) return { fault: 'The message has no uuid' };
  if (typeof uuid !== 'string' || !isUuid(uuid)) return { fault: 'The uuid of the message is not a UUID' };
  const parsed = parseOrderOfMessage(body);
  const reason = REASONS.find((known) => known === body.reason);
  return {
    message: {
      uuid: uuid.toLowerCase(),
      ...('order' in parsed ? { order: parsed.order } : { orderFault: describeFaults(parsed.faults) }),
      ...(reason && { reason }),
      ...(trace && { trace }),
    },
  };
}

function describeFaults(faults: readonly InputFault[]): string {
  const sentences = faults.map(({ field, message }) => `${field} ${message}`).join('; ');
  return sentences.slice(0, ORDER_FAULT_LENGTH_MAX);
}

/** What people see of an order: in messages and over HTTP, in the names that they know. */
export function snapshot(saga: Saga): Record<string, unknown> {
  const [line, ...others] = saga.items;
  return {
    uuid: saga.uuid,
    user: saga.user,
    ...(line && others.length === 0 && { item: line.item, quantity: line.quantity }),
    items: saga.items,
    ...(saga.paymentError !== undefined && { 'payment-error': JSON.parse(saga.paymentError) }),
    status: saga.status,
    ...(saga.total_invoice !== undefined && { total_invoice: saga.total_invoice }),
    ...(saga.reason !== undefined && { reason: saga.reason }),
    ...(saga.detail !== undefined && { detail: saga.detail }),
  };
}

/**
 * The message that the ledger calls for, as a CloudEvent in binary mode. Pure: a repeat is the same fact under the
 * same `ce-id`. https://github.com/googleapis/google-cloudevents; binding: CloudEvents Pub/Sub protocol binding.
 */
export function messageFor(saga: Saga): OutgoingMessage {
  const topic = emissionFor(saga);
  if (topic === undefined)
    throw new Error(`Order ${saga.uuid} has a status that nobody knows: ${saga.status}`);
  const { by, at } = lastTransition(saga);
  return {
    topic,
    data: Buffer.from(JSON.stringify(snapshot(saga))),
    attributes: {
      'ce-specversion': '1.0',
      'ce-id': `${saga.uuid}/${topic}`,
      'ce-type': `order-saga.${topic}`,
      'ce-source': `/order-saga/${by}`,
      'ce-subject': saga.uuid,
      'ce-time': at.toISOString(),
      'content-type': 'application/json',
      ...(saga.trace !== undefined && { traceparent: saga.trace }),
    },
  };
}

/**
 * The message that hands a delivery to the dead-letter desk. The attributes name where it came from in the words
 * that Pub/Sub itself uses when it dead-letters, so that the desk reads one form.
 */
export function deadLetterOf(
  delivery: Pick<Delivery, 'subscription' | 'data' | 'attributes' | 'messageId' | 'attempt'>,
  reason: string,
): OutgoingMessage {
  return {
    topic: 'dead-letter',
    data: delivery.data,
    attributes: {
      ...Object.fromEntries(Object.entries(delivery.attributes).slice(0, KEPT_ATTRIBUTES_MAX)),
      [DEAD_LETTER.reason]: Buffer.from(reason).subarray(0, REASON_BYTES_MAX).toString(),
      [DEAD_LETTER.subscription]: delivery.subscription,
      [DEAD_LETTER.messageId]: delivery.messageId,
      [DEAD_LETTER.attempts]: String(delivery.attempt),
    },
  };
}

/** Pub/Sub takes at most 100 attributes, each value of at most 1,024 bytes: room is left for ours. */
const KEPT_ATTRIBUTES_MAX = 90;
const REASON_BYTES_MAX = 1000;

/** https://cloud.google.com/pubsub/docs/handling-failures#how_dead_letter_topics_work; the first two are ours. */
export const DEAD_LETTER = {
  reason: 'saga-park-reason',
  messageId: 'saga-park-message-id',
  subscription: 'CloudPubSubDeadLetterSourceSubscription',
  attempts: 'CloudPubSubDeadLetterSourceDeliveryCount',
} as const;

/** The attributes of a message that the desk has sent back to its topic. */
export const REDRIVE = {
  /** The broker's id of the message when it was published for the first time. */
  messageId: 'saga-message-id',
  /** The letter that it was. If it fails again, it becomes a letter of its own, which names the earlier one. */
  letter: 'saga-redrive-of',
} as const;
