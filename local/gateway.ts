import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Express, RequestHandler } from 'express';
import { createProxyServer } from 'httpxy';
import { httpApp } from '../adapters/http/http-server.ts';
import type { Service } from '../saga/deliver/service.ts';
import { notFound, Problem } from '../saga/http/http.ts';
import type { Log } from '../saga/ports/log.ts';

/** As long as Google gives the slowest service to begin its answer (`timeout_seconds` of the janitor in infra/terraform/topology.tf). */
const ANSWER_TIMEOUT_MS = 300_000;

/**
 * One port for all services of the local stack, as a load balancer is in the cloud: passes each request on to the
 * service that has the route, unread. The gates are those of the service itself.
 * @param portOf where a service listens now; undefined while it is being started.
 * @param answerTimeoutMs how long a service may be silent before its client hears 504.
 */
export function gatewayApp(
  services: readonly Pick<Service, 'name' | 'routes'>[],
  host: string,
  portOf: (service: string) => number | undefined,
  log: Log,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
): Express {
  const ownerOf = new Map(
    services.flatMap(({ name, routes }) => routes.map((route) => [route, name] as const)),
  );
  const readiness = services.map(({ name }) => [name, () => isReady(host, portOf(name))] as const);
  const passOn = (service: string): RequestHandler => {
    const proxy = createProxyServer();
    proxy.on('proxyReq', (upstream) => {
      upstream.setTimeout(answerTimeoutMs, () => upstream.destroy(isSilent(service, answerTimeoutMs)));
      // An answer that has begun may take its time.
      upstream.once('response', () => upstream.setTimeout(0));
    });
    return (request, response, next) => {
      const port = portOf(service);
      if (port === undefined) throw isBeingStarted(service);
      // Node has told the client already to go on; and of a request that expects anything, the proxy says no `proxyReq`.
      delete request.headers.expect;
      // The library's own `xfwd` leaves a header that is there already as it is.
      const headers = { 'x-forwarded-for': heardFrom(request) };
      proxy
        .web(request, response, { target: { host, port }, headers })
        .catch((error: NodeJS.ErrnoException) => {
          // Where the service dies midway, the library ends the client's connection, too.
          if (response.headersSent) return;
          if (error instanceof Problem) next(error);
          else next(error.code === 'ECONNREFUSED' ? isBeingStarted(service) : hasEnded(service));
        });
    };
  };
  /** Every service has metrics of its own, under the same names: so each has a page of its own here. */
  const metrics: RequestHandler = (request, response, next) => {
    const [path, name] = /^\/metrics(?:\/([^/]+))?$/.exec(request.path) ?? [];
    const known = services.find((service) => service.name === name);
    if (known) {
      request.url = '/metrics';
      return passOn(known.name)(request, response, next);
    }
    if (path === undefined) return next();
    throw notFound(`Each service has its own: ${services.map((one) => `/metrics/${one.name}`).join(', ')}`);
  };
  return httpApp([...ownerOf.keys()], readiness, log, {
    handlersOf: (route) => [passOn(ownerOf.get(route) ?? '')],
    first: [metrics],
  });
}

/** As every proxy does, for a service that counts the requests of each client. */
const heardFrom = (request: IncomingMessage): string =>
  [request.headers['x-forwarded-for'], request.socket.remoteAddress].flat().filter(Boolean).join(', ');

const isBeingStarted = (service: string): Problem => unavailable(`${service} is being started; try again`);

const hasEnded = (service: string): Problem => unavailable(`${service} ended before it answered. ${UNKNOWN}`);

const isSilent = (service: string, timeoutMs: number): Problem =>
  new Problem(504, 'Gateway timeout', `${service} has not answered within ${timeoutMs} ms. ${UNKNOWN}`);

/** The service had the request. Whoever orders again, and not under the same key, may have ordered twice. */
const UNKNOWN =
  'Whether it did what was asked is not known: look, or ask again, an order with its Idempotency-Key';

const unavailable = (detail: string): Problem =>
  new Problem(503, 'Unavailable', detail, { headers: { 'Retry-After': '1' } });

/** How long a service may take to say that it is ready. Its own checks take two seconds at most. */
const READINESS_TIMEOUT_MS = 3_000;

async function isReady(host: string, port: number | undefined): Promise<boolean> {
  if (port === undefined) return false;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}/readyz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(READINESS_TIMEOUT_MS) });
  await answer.body?.cancel();
  return answer.ok;
}
