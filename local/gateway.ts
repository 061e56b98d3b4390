import type { IncomingMessage } from 'node:http';
import type { Express, RequestHandler } from 'express';
import { createProxyServer } from 'httpxy';
import { type GateSettings, gatesBy } from '../adapters/http/gates.ts';
import { ASYNC_API_PATH, httpApp, urlOf } from '../adapters/http/http-server.ts';
import type { Service } from '../saga/deliver/service.ts';
import { notFound, Problem, type Route, unavailable } from '../saga/http/http.ts';
import type { Log } from '../saga/ports/log.ts';

/** The time that the slowest service has in the cloud to begin its answer (`timeout_seconds` of the janitor in infra/terraform/topology.tf). */
const ANSWER_TIMEOUT_MS = 300_000;

/** How the gateway treats requests. */
export interface GatewayOptions {
  /** How long a service may be silent before its client gets 504. */
  readonly answerTimeoutMs?: number;
  /** What it answers itself, and who may ask. */
  readonly own?: { readonly routes: readonly Route[]; readonly gates: GateSettings };
}

/**
 * One port for all services of the local stack, like the load balancer that Terraform makes for a domain (infra/terraform/load-balancer.tf). It
 * passes each request on, unread, to the service that has the route, operators' routes among them, and leaves the gates to the
 * service. Its own routes it gates itself.
 * @param portOf the port on which a service listens now; undefined while it is starting.
 */
export function gatewayApp(
  services: readonly Pick<Service, 'name' | 'routes' | 'webPage'>[],
  host: string,
  portOf: (service: string) => number | undefined,
  log: Log,
  { answerTimeoutMs = ANSWER_TIMEOUT_MS, own = { routes: [], gates: {} } }: GatewayOptions = {},
): Express {
  const ownerOf = new Map(
    services.flatMap(({ name, routes }) => routes().map((route) => [route, name] as const)),
  );
  const readiness = services.map(({ name }) => [name, () => isReady(host, portOf(name))] as const);
  const passOn = (service: string): RequestHandler => {
    const proxy = createProxyServer();
    proxy.on('proxyReq', (upstream) => {
      upstream.setTimeout(answerTimeoutMs, () => upstream.destroy(isSilent(service, answerTimeoutMs)));
      // Once an answer has begun, it may take any time.
      upstream.once('response', () => upstream.setTimeout(0));
    });
    return (request, response, next) => {
      const port = portOf(service);
      if (port === undefined) throw isBeingStarted(service);
      // Node has already told the client to go on, and with this header the proxy emits no `proxyReq`.
      delete request.headers.expect;
      // The library's own `xfwd` does not add to a header that exists already.
      const headers = { 'x-forwarded-for': heardFrom(request) };
      proxy
        .web(request, response, { target: { host, port }, headers })
        .catch((error: NodeJS.ErrnoException) => {
          // If the service dies midway, the library ends the client's connection, too.
          if (response.headersSent) return;
          if (error instanceof Problem) next(error);
          else next(error.code === 'ECONNREFUSED' ? isBeingStarted(service) : hasEnded(service));
        });
    };
  };
  /** All services have metrics with the same names, so each service has a page of its own here. */
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
  /** It is the same at every service. */
  const asyncApi: RequestHandler = (request, response, next) => {
    const [service] = services;
    if (request.path !== ASYNC_API_PATH || service === undefined) return next();
    return passOn(service.name)(request, response, next);
  };
  return httpApp([...ownerOf.keys(), ...own.routes], readiness, log, {
    gatesOf: gatesBy(own.gates),
    handlersOf(route) {
      const owner = ownerOf.get(route);
      return owner === undefined ? undefined : [passOn(owner)];
    },
    first: [metrics, asyncApi],
    webPage: services.find((service) => service.webPage)?.webPage,
  });
}

/** Adds the caller, as every proxy does, for services that count the requests of each client. */
const heardFrom = (request: IncomingMessage): string =>
  [request.headers['x-forwarded-for'], request.socket.remoteAddress].flat().filter(Boolean).join(', ');

const isBeingStarted = (service: string): Problem => unavailable(`${service} is being started; try again`);

const hasEnded = (service: string): Problem => unavailable(`${service} ended before it answered. ${UNKNOWN}`);

const isSilent = (service: string, timeoutMs: number): Problem =>
  new Problem(504, 'Gateway timeout', `${service} has not answered within ${timeoutMs} ms. ${UNKNOWN}`);

/** The service has received the request. A client that orders again without the same key may have ordered twice. */
const UNKNOWN =
  'Whether it did what was asked is not known: look, or ask again, an order with its Idempotency-Key';

/** How long a service may take to say that it is ready. Its own checks take two seconds at most. */
const READINESS_TIMEOUT_MS = 3_000;

async function isReady(host: string, port: number | undefined): Promise<boolean> {
  if (port === undefined) return false;
  const answer = await fetch(`${urlOf(host, port)}/readyz`, {
    signal: AbortSignal.timeout(READINESS_TIMEOUT_MS),
  });
  await answer.body?.cancel();
  return answer.ok;
}
