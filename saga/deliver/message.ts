import { isUtf8 } from 'node:buffer';
import { validate as isUuid, v5 as uuidv5 } from 'uuid';
import { describeFaults } from '../input/input-faults.ts';
import { lastTransition, statusIn } from '../ledger/history.ts';
import { type Ledger, PAUSED, RESUMED } from '../ledger/ledger.ts';
import { ledgerAfter } from '../ledger/ledger-at.ts';
import { traceparentIn } from '../ledger/trace.ts';
import type { Delivery, OutgoingMessage } from '../ports/bus.ts';
import { faultOfFailure } from '../step/receive.ts';
import { DEAD_LETTER_TOPIC, type ParsedOrder, type Saga } from '../step/saga.ts';
import type { Word } from '../step/wait.ts';

/**
 * Messages are hints: they say which ledger to look at, and carry a snapshot for people. What a message claims
 * about amounts, prices or items decides nothing once a ledger exists.
 */

/** A message after parsing. */
export interface SagaMessage {
  readonly uuid: string;
  /** The order that the message describes, if it is a valid one. */
  readonly order?: object | undefined;
  /** What is wrong with the order that the message describes, if anything is. */
  readonly orderFault?: string | undefined;
  /** Why the order failed, according to the message. */
  readonly reason?: string | undefined;
  /** The word that the message says to an order that waits, with what it carries, unchecked. */
  readonly word?: Word | undefined;
  /** The trace that the message belongs to, as a W3C traceparent. An order that begins with it remembers it. */
  readonly trace?: string | undefined;
}

/** Either a message or the reason why it can't be one. */
export type ParsedMessage = { readonly message: SagaMessage } | { readonly fault: string };

/** A snapshot of the largest order is well below this; nothing larger is ours. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** Namespace of derived uuids. It must never change, so that the same key always gives the same id. */
const DERIVED_IDS = 'd1a8e6a2-6b0f-4c39-9c43-0a4f8f1c2f6e';

/** The uuid of a key, always the same one. `kind` keeps keys of different origin apart. */
export function derivedUuid(
  kind: 'idempotency-key' | 'message-id' | 'dead-letter' | 'fork',
  key: string,
): string {
  // As bytes: the library throws for a text with half a surrogate pair.
  return uuidv5(Buffer.from(`${kind}/${key}`), DERIVED_IDS);
}

/**
 * Reads what arrived, doubting all of it.
 * @param allowNameless whether a message without a uuid is an order of its own, whose uuid is then derived from
 * the broker's id of the message, so that a redelivery is the same order. A redriven message has another id, so it
 * carries the first one in an attribute. Forging that attribute gains nothing: it names an order, as a uuid in the body
 * does, and the ledger of that order decides what the message may do.
 */
export function parseMessage(
  saga: Saga,
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
  // It would be read as something else.
  if (!isUtf8(data)) return { fault: 'The message is not UTF-8' };
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
  return parseBody(saga, body as Record<string, unknown>, firstId, allowNameless, trace);
}

function parseBody(
  saga: Saga,
  body: Record<string, unknown>,
  messageId: string,
  allowNameless: boolean,
  trace: string | undefined,
): ParsedMessage {
  const uuid = body.uuid === undefined && allowNameless ? derivedUuid('message-id', messageId) : body.uuid;
  if (uuid === undefined) return { fault: 'The message has no uuid' };
  if (typeof uuid !== 'string' || !isUuid(uuid)) return { fault: 'The uuid of the message is not a UUID' };
  const parsed = parseOrder(saga, body);
  return {
    message: {
      uuid: uuid.toLowerCase(),
      order: 'order' in parsed ? parsed.order : undefined,
      orderFault: 'order' in parsed ? undefined : describeFaults(parsed.faults),
      reason: saga.reasons.find((known) => known === body.reason),
      ...wordIn(body),
      trace,
    },
  };
}

function wordIn({ uuid: _, outcome, ...carried }: Record<string, unknown>): Pick<SagaMessage, 'word'> {
  return typeof outcome === 'string' ? { word: { ...carried, word: outcome } } : {};
}

function parseOrder(saga: Saga, body: Record<string, unknown>): ParsedOrder {
  const parsed = saga.order.parse(body);
  const fault = 'order' in parsed ? faultOfFailure(saga, parsed.order) : undefined;
  return fault === undefined ? parsed : { faults: [fault] };
}

/** What people see of an order, in messages and over HTTP. */
export function snapshot(saga: Saga, ledger: Ledger): Record<string, unknown> {
  return {
    uuid: ledger.uuid,
    ...saga.order.shows(ledger),
    status: ledger.status,
    reason: ledger.reason,
    detail: ledger.detail,
  };
}

/**
 * The message that the ledger calls for, as a CloudEvent in binary mode. Pure: a repeat is the same fact under the
 * same `ce-id`. https://github.com/googleapis/google-cloudevents; binding: CloudEvents Pub/Sub protocol binding.
 * @param topic another one than the ledger's own: then it says what happened before, with the order as it stood then.
 */
export function messageFor(saga: Saga, ledger: Ledger, topic = saga.topicFor(ledger)): OutgoingMessage {
  const said = lastOn(saga, ledger, topic);
  const { by, at } = lastTransition(said);
  return {
    topic,
    data: Buffer.from(JSON.stringify(snapshot(saga, said))),
    attributes: {
      'ce-specversion': '1.0',
      'ce-id': idOf(saga, ledger, topic),
      'ce-type': `${saga.name}.${topic}`,
      'ce-source': `/${saga.name}/${by}`,
      'ce-subject': ledger.uuid,
      'ce-time': at.toISOString(),
      'content-type': 'application/json',
      ...(ledger.trace !== undefined && { traceparent: ledger.trace }),
    },
  };
}

/** The ledger as it stood when it was last announced on this topic; on that of the workflow, as it stands. */
function lastOn(saga: Saga, ledger: Ledger, topic: string): Ledger {
  const index = ledger.history.findLastIndex((line) => saga.topicOf(statusIn(line)) === topic);
  return ledgerAfter(saga, ledger, index + 1) ?? ledger;
}

/**
 * An order that waits or is paused more than once does so, and goes on, more than once: each time is a fact of its own. So is
 * each step of an orchestrated order, on the one topic that they have.
 */
function idOf(saga: Saga, { uuid, history }: Ledger, topic: string): string {
  if (topic === saga.workflow?.topic) return `${uuid}/${topic}/${history.length}`;
  const often = topic === saga.resumption?.topic ? RESUMED : topic === saga.pause?.topic ? PAUSED : undefined;
  const time = often === undefined ? 1 : history.filter((line) => statusIn(line) === often).length;
  return time === 1 ? `${uuid}/${topic}` : `${uuid}/${topic}/${time}`;
}

/**
 * The message that hands a delivery to the dead-letter desk. Its attributes say where the delivery came from, with the
 * names that Pub/Sub itself uses when it dead-letters, so that the desk has only one form to read.
 */
export function deadLetterOf(
  delivery: Pick<Delivery, 'subscription' | 'data' | 'attributes' | 'messageId' | 'attempt'>,
  reason: string,
): OutgoingMessage {
  return {
    topic: DEAD_LETTER_TOPIC,
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

/** Pub/Sub takes at most 100 attributes of at most 1,024 bytes each; this leaves room for ours. */
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
