import { type OutgoingMessage, sizeOf } from '../../saga/ports/bus.ts';

/** Pub/Sub takes 1,000 messages and 10 MB per request. Half the limit, because attributes are counted in characters, not bytes. */
const REQUEST_MESSAGES_MAX = 1000;
const REQUEST_SIZE_MAX = 5_000_000;

/** Messages of one topic, each with its place among all. */
export interface PublishRequest {
  readonly topic: string;
  readonly entries: [index: number, message: OutgoingMessage][];
  size: number;
}

/** Groups messages into requests: those of one topic together, as many as a request may have. */
export function requestsOf(messages: readonly OutgoingMessage[]): PublishRequest[] {
  const requests: PublishRequest[] = [];
  const filling = new Map<string, PublishRequest>();
  for (const [index, message] of messages.entries()) {
    const { topic } = message;
    const size = sizeOf(message);
    let request = filling.get(topic);
    const hasRoom =
      request && request.entries.length < REQUEST_MESSAGES_MAX && request.size + size <= REQUEST_SIZE_MAX;
    if (request === undefined || !hasRoom) {
      request = { topic, entries: [], size: 0 };
      filling.set(topic, request);
      requests.push(request);
    }
    request.entries.push([index, message]);
    request.size += size;
  }
  return requests;
}
