import functions, { type Request } from '@google-cloud/functions-framework';
import { createInbox } from '../saga/inbox.ts';
import type { Ports } from '../saga/ports.ts';
import type { Service } from '../saga/service.ts';
import { subscriptionOf, type Topology } from '../saga/topology.ts';
import { httpApp } from './http-server.ts';
import { pushHandlers, type TokenCheck } from './push-receiver.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * A service as a Cloud Run function of its name, which takes pushes of Pub/Sub and CloudEvents of Eventarc: both are requests,
 * and both are answered by what answers `POST /push/{subscription}` of a service. So the same inboxes are filled, the same
 * tokens are checked, and the same is seen of it.
 *
 * It is registered for HTTP, also where events come. As an event target, the framework would keep the token from us, lose the
 * subscription and the attempt of a wrapped push, and fail at a request without a body. Two things it does in any case: it
 * reads the body before anybody can look at the token, and it gives up at once when it is told to end. What was not answered
 * yet comes again, which is why nothing is lost but the last spans.
 */
export function registerFunction(
  service: Service,
  topology: Topology,
  checkToken: TokenCheck,
  { clock, log }: Pick<Ports, 'clock' | 'log'>,
  telemetry: Telemetry,
): void {
  const consumers = telemetry.service(service).consumers.map(({ topic, process }) => ({
    topic,
    subscription: subscriptionOf(topology, service.name, topic),
    inbox: createInbox(process),
  }));
  const inboxes = new Map(consumers.map(({ subscription, inbox }) => [subscription, inbox]));
  const app = httpApp([], [], log, {
    push: pushHandlers(inboxes, checkToken, clock),
    first: telemetry.http,
  });
  functions.http(service.name, (request, response) => {
    request.url = `/push/${subscriptionIn(request, consumers)}`;
    // The framework has parsed the body already; what it was made of is what counts.
    request.body = request.rawBody ?? Buffer.alloc(0);
    app(request, response);
  });
}

/**
 * By which subscription a request comes. The path may end with it, as that of a service does. An event says from which topic
 * it is, and where a service reads one topic alone, nothing needs to be said.
 */
function subscriptionIn(
  request: Request,
  consumers: readonly { readonly topic: string; readonly subscription: string }[],
): string {
  const last = request.path.split('/').at(-1);
  const topic = topicOf(request);
  const [only, ...others] = consumers;
  const found =
    consumers.find(({ subscription }) => subscription === last) ??
    consumers.find((one) => one.topic === topic) ??
    (others.length === 0 ? only : undefined);
  return found?.subscription ?? 'unnamed';
}

/** Eventarc says the topic in the source of an event, our own messages in their type; a structured event has both in its body. */
function topicOf(request: Request): string | undefined {
  const event = (request.body ?? {}) as { source?: unknown; type?: unknown };
  const source = request.get('ce-source') ?? String(event.source);
  const type = request.get('ce-type') ?? String(event.type);
  return /\/topics\/([^/]+)$/.exec(source)?.[1] ?? /^order-saga\.(.+)$/.exec(type)?.[1];
}
