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
    push: pushHandlers(inboxes, checkToken, { clock, log }),
    first: telemetry.http,
  });
  functions.http(service.name, (request, response) => {
    request.url = `/push/${encodeURIComponent(subscriptionIn(request, consumers))}`;
    // The framework has parsed the body already; what it was made of is what counts.
    request.body = request.rawBody ?? Buffer.alloc(0);
    app(request, response);
  });
}

/**
 * By which subscription a request comes. The path may end with it, as that of a service does; an event says from which topic it
 * is. What is said there and read by nobody here is refused as the service would. Where a service reads one topic alone,
 * nothing needs to be said.
 */
function subscriptionIn(
  request: Request,
  consumers: readonly { readonly topic: string; readonly subscription: string }[],
): string {
  const last = request.path.split('/').at(-1);
  if (last) return last;
  // A structured event has its attributes in its body.
  const event = (request.body ?? {}) as { source?: unknown; type?: unknown };
  const source = /\/topics\/([^/]+)$/.exec(request.get('ce-source') ?? String(event.source))?.[1];
  const type = /^order-saga\.(.+)$/.exec(request.get('ce-type') ?? String(event.type))?.[1];
  const reading = (topic: string | undefined) => consumers.find((one) => one.topic === topic)?.subscription;
  // Eventarc says the source, whoever published says the type.
  if (source !== undefined) return reading(source) ?? source;
  const [only, ...others] = consumers;
  return reading(type) ?? (only && others.length === 0 ? only.subscription : 'unnamed');
}
