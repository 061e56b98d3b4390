import functions, { type Request } from '@google-cloud/functions-framework';
import { inboxesOf, type SubscribedInbox } from '../../saga/deliver/inbox.ts';
import type { Service } from '../../saga/deliver/service.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { httpApp } from '../http/http-server.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { pushHandlers, type TokenCheck } from './push-receiver.ts';

/**
 * A service as a Cloud Run function of its name. It takes pushes of Pub/Sub and CloudEvents of Eventarc. Both are requests, and
 * both are answered by the code behind `POST /push/{subscription}` of a service. So they fill the same inboxes, their tokens
 * are checked alike, and telemetry sees them alike.
 *
 * It is registered for HTTP, even for events. As an event target, the framework would hide the token from us, lose the
 * subscription and the attempt of a wrapped push, and fail on a request without a body. Two things can't be avoided: it reads
 * the body before the token is checked, and it stops at once when it is told to end. What was not answered by then comes
 * again, so nothing is lost but the last spans.
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
    // The framework has parsed the body already, but what counts are the raw bytes.
    request.body = request.rawBody ?? Buffer.alloc(0);
    app(request, response);
  });
}

/**
 * The subscription that a request comes from. The path may end with it, as in a service; an event names its topic. If the
 * service does not read what is named there, it is refused as in a service. If the service reads only one topic, the request
 * need not name anything.
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
