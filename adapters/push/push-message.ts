import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { DEAD_LETTER } from '../../saga/deliver/message.ts';
import { describeFaults, inputFaults } from '../../saga/input/input-faults.ts';
import type { Delivery } from '../../saga/ports/bus.ts';

/**
 * What Pub/Sub pushes over HTTP, in each of its forms:
 * - wrapped, as a JSON object with the message in it (https://cloud.google.com/pubsub/docs/push#receive_push);
 * - unwrapped, with the data as body and the rest in headers (…/docs/payload-unwrapping), if the subscription writes metadata;
 * - as a CloudEvent of Eventarc around the wrapped form, binary or structured (https://cloud.google.com/eventarc/docs/cloudevents);
 * - as the binary CloudEvent that each of our own messages is, if something other than Pub/Sub hands it on.
 */
export type PushedMessage = Omit<Delivery, 'subscription' | 'ack' | 'nack'>;

/** A pushed message, or what is wrong with the request. */
export type ParsedPush = { readonly message: PushedMessage } | { readonly fault: string };

/** Pub/Sub accepts only such texts; a JSON body from elsewhere may contain half of a surrogate pair. */
const text = z.string().regex(/^\P{Cs}*$/su, { error: 'is not well-formed Unicode' });

/** Pub/Sub's limit (https://cloud.google.com/pubsub/quotas#resource_limits), and what it adds to a message that it gives up. */
const ATTRIBUTES_MAX = 100 + 10;
const wrappedSchema = z.object({
  message: z
    .object({
      data: z.base64().default(''),
      attributes: z.record(text, text).default({}),
      messageId: text.min(1).optional(),
      message_id: text.min(1).optional(),
      publishTime: z.iso.datetime({ offset: true }).optional(),
      publish_time: z.iso.datetime({ offset: true }).optional(),
    })
    .refine(({ messageId, message_id }) => messageId ?? message_id, { error: 'has no messageId' }),
  deliveryAttempt: z.int().min(1).optional(),
});

/** Pub/Sub's limit: https://cloud.google.com/pubsub/quotas#resource_limits */
const DATA_BYTES_MAX = 10_000_000;

const MESSAGE_ID = 'x-goog-pubsub-message-id';
const PUBLISH_TIME = 'x-goog-pubsub-publish-time';
const ATTEMPT = 'x-goog-pubsub-delivery-attempt';

/**
 * Reads what was pushed, doubting all of it. Not every form names the subscription.
 * @param now for a message that does not say when it was published.
 */
export function parsePush(headers: IncomingHttpHeaders, body: Buffer, now: Date): ParsedPush {
  const messageId = headers[MESSAGE_ID] ?? ownEventId(headers);
  if (typeof messageId === 'string' && messageId !== '')
    return parkable(unwrapped(messageId, headers, body, now));
  // It would be read as something else.
  if (!isUtf8(body)) return { fault: 'The body is not UTF-8' };
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { fault: `The body is not JSON, and there is no header ${MESSAGE_ID}` };
  }
  return parseWrapped(dataOf(headers, json), now);
}

/** A message of ours is a CloudEvent. Its id then replaces the broker's, which is lost. */
function ownEventId(headers: IncomingHttpHeaders): string | undefined {
  const { 'ce-id': id, 'ce-subject': uuid } = headers;
  return typeof id === 'string' && typeof uuid === 'string' && id.startsWith(`${uuid}/`) ? id : undefined;
}

/** In a structured CloudEvent the message is in the data; in all other forms it is the body. */
function dataOf(headers: IncomingHttpHeaders, json: unknown): unknown {
  const isStructured = headers['content-type']?.startsWith('application/cloudevents+json') ?? false;
  return isStructured ? (json as { data?: unknown } | null)?.data : json;
}

/** Reads the wrapped form, as a value. */
function parseWrapped(json: unknown, now: Date): ParsedPush {
  // Counted first: looking at 700,000 takes seconds, and nothing else is done meanwhile.
  if (attributeCount(json) > ATTRIBUTES_MAX)
    return { fault: `The message has more than the ${ATTRIBUTES_MAX} attributes that Pub/Sub takes` };
  const parsed = wrappedSchema.safeParse(json, { reportInput: true });
  if (!parsed.success)
    return { fault: `The body is no pushed message: ${describeFaults(inputFaults(parsed.error))}` };
  const { message, deliveryAttempt } = parsed.data;
  const publishTime = message.publishTime ?? message.publish_time;
  return parkable({
    messageId: (message.messageId ?? message.message_id) as string,
    data: Buffer.from(message.data, 'base64'),
    attributes: message.attributes,
    publishTime: publishTime === undefined ? now : new Date(publishTime),
    attempt: deliveryAttempt ?? 1,
  });
}

function attributeCount(json: unknown): number {
  const { attributes } = (json as { message?: { attributes?: unknown } | null } | null)?.message ?? {};
  return typeof attributes === 'object' && attributes !== null ? Object.keys(attributes).length : 0;
}

/** Refuses what Pub/Sub could never have sent: it couldn't be parked either, because parking publishes it again. */
const parkable = (message: PushedMessage): ParsedPush =>
  message.data.length > DATA_BYTES_MAX
    ? { fault: 'The message is larger than any that Pub/Sub takes' }
    : { message };

function unwrapped(messageId: string, headers: IncomingHttpHeaders, data: Buffer, now: Date): PushedMessage {
  const published = new Date(String(headers[PUBLISH_TIME]));
  return {
    messageId,
    data,
    attributes: attributesIn(headers),
    publishTime: Number.isNaN(published.getTime()) ? now : published,
    attempt: Math.max(1, Number.parseInt(String(headers[ATTEMPT]), 10) || 1),
  };
}

/**
 * Attributes arrive as HTTP headers in small letters. Only those that we publish ourselves, and those that Pub/Sub adds to a
 * message it gives up, can be told from other headers.
 */
function attributesIn(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    const name = KNOWN_ATTRIBUTES.get(header) ?? (/^(ce|saga)-/.test(header) ? header : undefined);
    if (name !== undefined && typeof value === 'string') attributes[name] = value;
  }
  return attributes;
}

const KNOWN_ATTRIBUTES = new Map(
  ['content-type', 'traceparent', ...Object.values(DEAD_LETTER)].map((name) => [name.toLowerCase(), name]),
);
