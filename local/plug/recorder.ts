import { createHash } from 'node:crypto';
import { REDRIVE } from '../../saga/deliver/message.ts';
import { type OutgoingMessage, sizeOf } from '../../saga/ports/bus.ts';
import type { Clock } from '../../saga/ports/clock.ts';
import { DEAD_LETTER_TOPIC } from '../../saga/step/saga.ts';

/** Remembers messages, each once, so that they can be published again: a repeated announcement is the same message. */
export interface Recorder {
  /** @param messageId the broker's id of it, if it is known. */
  record(message: OutgoingMessage, messageId?: string): void;
  /** The oldest first. */
  messages(): readonly OutgoingMessage[];
  /** Those of them that were published last at this moment or later. */
  messagesSince(moment: Date): readonly OutgoingMessage[];
  /** How many there is no room for any more. */
  droppedCount(): number;
}

/** So much of an afternoon's playing is kept; of a load test, the end. */
const MESSAGES_MAX = 10_000;
const BYTES_MAX = 32 * 1024 * 1024;

/** Once it has so many messages or bytes, the oldest is dropped for each new one. */
export function createRecorder(clock: Clock, messagesMax = MESSAGES_MAX, bytesMax = BYTES_MAX): Recorder {
  /** In the order in which they were published first, with when they were published last. */
  const kept = new Map<string, { readonly message: OutgoingMessage; readonly at: Date }>();
  let bytes = 0;
  let dropped = 0;
  return {
    record(message, messageId) {
      const repeatable = withFirstId(message, messageId);
      const key = digestOf(repeatable);
      if (!kept.has(key)) bytes += sizeOf(repeatable);
      kept.set(key, { message: repeatable, at: clock.now() });
      for (const [oldest, { message: dropping }] of kept) {
        if (kept.size <= messagesMax && bytes <= bytesMax) break;
        kept.delete(oldest);
        bytes -= sizeOf(dropping);
        dropped++;
      }
    },
    messages: () => [...kept.values()].map(({ message }) => message),
    messagesSince: (moment) =>
      [...kept.values()].filter(({ at }) => at >= moment).map(({ message }) => message),
    droppedCount: () => dropped,
  };
}

/**
 * A message that is not ours is known by the broker's id of it, and would have another one: an order without a uuid would become a
 * second order, and what nobody can read a second dead letter. So it takes its first id along, as a redriven message does.
 */
function withFirstId(message: OutgoingMessage, messageId: string | undefined): OutgoingMessage {
  const { topic, attributes } = message;
  const isKnown = 'ce-id' in attributes || REDRIVE.messageId in attributes || topic === DEAD_LETTER_TOPIC;
  if (isKnown || messageId === undefined) return message;
  return { ...message, attributes: { ...attributes, [REDRIVE.messageId]: messageId } };
}

function digestOf({ topic, data, attributes }: OutgoingMessage): string {
  const named = Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([topic, named]))
    .update(data)
    .digest('base64');
}
