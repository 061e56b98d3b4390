import functions, { type Request } from '@google-cloud/functions-framework';
import { inboxesOf, type SubscribedInbox } from '../../saga/deliver/inbox.ts';
import type { Service } from '../../saga/deliver/service.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { httpApp } from '../http/http-server.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { pushHandlers, type TokenCheck } from './push-receiver.ts';

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
  const subscribed = inboxesOf(telemetry.service(service), topology);
  const app = httpApp([], [], log, {
    push: pushHandlers(subscribed, checkToken, { clock, log }),
    first: telemetry.http,
  });
  functions.http(service.name, (request, response) => {
    request.url = `/push/${encodeURIComponent(subscriptionIn(request, subscribed))}`;
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
function subscriptionIn(request: Request, subscribed: readonly SubscribedInbox[]): string {
  const last = request.path.split('/').filter(Boolean).at(-1);
  if (last !== undefined) return last;
  // A structured event has its attributes in its body.
  const { source: ofBody } = (request.body ?? {}) as { source?: unknown };
  const source = request.get('ce-source') ?? (typeof ofBody === 'string' ? ofBody : '');
  const topic = /\/topics\/([^/]+)$/.exec(source)?.[1];
  if (topic !== undefined) return subscribed.find((one) => one.topic === topic)?.subscription ?? topic;
  const [only, ...others] = subscribed;
  return only && others.length === 0 ? only.subscription : 'unknown';
}
