import functions, { type CloudEvent } from '@google-cloud/functions-framework';
import { Problem } from '../saga/http.ts';
import { createInbox, type Inbox } from '../saga/inbox.ts';
import type { Ports } from '../saga/ports.ts';
import type { Service } from '../saga/service.ts';
import { subscriptionOf, type Topology } from '../saga/topology.ts';
import { type PushedMessage, parseWrapped } from './push-message.ts';
import { assertMayPush, receivePush, type TokenCheck, takeIn } from './push-receiver.ts';

/**
 * A service as Cloud Run functions, under two targets: its name, which answers pushes of Pub/Sub over HTTP, and its name
 * with `-event`, which takes CloudEvents of Eventarc. Both fill the same inboxes as pull does.
 *
 * What the framework does not do, and what is done here instead:
 * - it checks no token: the HTTP target does, as the service would;
 * - it loses the subscription and the attempt of a wrapped push that it turns into an event: the subscription is the one by
 *   which the service reads the event's topic, and the attempt counts as the first;
 * - it fails at a request without a body before an event target sees it: who looks whether a function is alive must use the
 *   HTTP target, which takes CloudEvents, too;
 * - it gives up at once when it is told to end: what was not answered yet comes again, which is why nothing is lost.
 */
export function registerFunctions(
  service: Service,
  topology: Topology,
  checkToken: TokenCheck,
  { clock }: Pick<Ports, 'clock'>,
): void {
  const consumers: readonly Consumed[] = service.consumers.map(({ topic, process }) => ({
    topic,
    subscription: subscriptionOf(topology, service.name, topic),
    inbox: createInbox(process),
  }));

  functions.http(service.name, async (request, response) => {
    try {
      if (request.method !== 'POST')
        throw new Problem(405, 'Method not allowed', 'Only POST is answered here');
      await assertMayPush(checkToken, request.get('authorization'));
      const { inbox, subscription } = consumerOfPath(consumers, request.path);
      await receivePush(
        inbox,
        subscription,
        request.headers,
        request.rawBody ?? Buffer.alloc(0),
        clock.now(),
      );
      response.status(204).end();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { status, title, detail } = error;
      response.status(status).type('application/problem+json');
      response.send(JSON.stringify({ type: 'about:blank', title, status, detail }));
    }
  });

  functions.cloudEvent<unknown>(`${service.name}-event`, async (event: CloudEvent<unknown> | undefined) => {
    // A request without a body, such as somebody's look whether it is alive.
    if (event === undefined) return;
    const { inbox, subscription } = consumerOfTopic(consumers, topicOf(event));
    await takeIn(inbox, messageIn(event, subscription, clock.now()));
  });
}

interface Consumed {
  readonly topic: string;
  readonly subscription: string;
  readonly inbox: Inbox;
}

/** The path may end with the subscription, as that of a service does; a service with one consumer needs none. */
function consumerOfPath(consumers: readonly Consumed[], path: string): Consumed {
  const named = consumers.find(({ subscription }) => path.endsWith(`/${subscription}`));
  const [only, ...others] = consumers;
  if (named) return named;
  if (only && others.length === 0) return only;
  const names = consumers.map(({ subscription }) => subscription).join(', ');
  throw new Problem(404, 'Not found', `The path must end with a subscription of this service: ${names}`);
}

function consumerOfTopic(consumers: readonly Consumed[], topic: string | undefined): Consumed {
  const [only, ...others] = consumers;
  const found = consumers.find((one) => one.topic === topic) ?? (others.length === 0 ? only : undefined);
  if (found === undefined) throw new Error(`This service does not read the topic ${topic}`);
  return found;
}

/** Eventarc says it in the source, our own messages say it in their type. */
function topicOf({ source, type }: CloudEvent<unknown>): string | undefined {
  return /\/topics\/([^/]+)$/.exec(source ?? '')?.[1] ?? /^order-saga\.(.+)$/.exec(type ?? '')?.[1];
}

/**
 * The message in an event: in the wrapping of Pub/Sub, or the event itself where Pub/Sub pushed one of ours unwrapped. What
 * is neither becomes a message that can't be read, and so is parked.
 */
function messageIn(event: CloudEvent<unknown>, subscription: string, now: Date): PushedMessage {
  const wrapped = parseWrapped(subscription, event.data, now);
  if ('message' in wrapped) return wrapped.message;
  return {
    subscription,
    messageId: event.id,
    data: Buffer.isBuffer(event.data) ? event.data : Buffer.from(JSON.stringify(event.data)),
    attributes: { 'ce-id': event.id, 'ce-type': event.type },
    publishTime: now,
    attempt: 1,
  };
}
