import { request as forward, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { Express, RequestHandler } from 'express';
import { httpApp } from '../adapters/http/http-server.ts';
import type { Service } from '../saga/deliver/service.ts';
import { notFound, Problem } from '../saga/http/http.ts';
import type { Log } from '../saga/ports/log.ts';

/**
 * One port for all services of the local stack, as a load balancer is in the cloud: passes each request on to the
 * service that has the route, unread. The gates are those of the service itself.
 * @param portOf where a service listens now; undefined while it is being started.
 */
export function gatewayApp(
  services: readonly Pick<Service, 'name' | 'routes'>[],
  host: string,
  portOf: (service: string) => number | undefined,
  log: Log,
): Express {
  const ownerOf = new Map(
    services.flatMap(({ name, routes }) => routes.map((route) => [route, name] as const)),
  );
  const readiness = services.map(({ name }) => [name, () => isReady(host, portOf(name))] as const);
  const passOn =
    (service: string, path?: string): RequestHandler =>
    (request, response, next) => {
      const port = portOf(service);
      if (port === undefined) throw isBeingStarted(service);
      const upstream = forward(
        {
          host,
          port,
          method: request.method,
          path: path ?? request.originalUrl,
          headers: { ...request.headers, 'x-forwarded-for': heardFrom(request) },
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          // Where the service dies midway, the client's connection ends, too.
          pipeline(answer, response, () => {});
        },
      );
      upstream.once('error', (error: NodeJS.ErrnoException) => {
        if (response.headersSent) response.destroy();
        else next(error.code === 'ECONNREFUSED' ? isBeingStarted(service) : hasNotAnswered(service));
      });
      response.once('close', () => upstream.destroy());
      request.pipe(upstream);
    };
  /** Every service has metrics of its own, under the same names: so each has a page of its own here. */
  const metrics: RequestHandler = (request, response, next) => {
    const [path, name] = /^\/metrics(?:\/([^/]+))?$/.exec(request.path) ?? [];
    const known = services.find((service) => service.name === name);
    if (known) return passOn(known.name, '/metrics')(request, response, next);
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

/** It had the request. Whoever orders again, and not under the same key, may have ordered twice. */
const hasNotAnswered = (service: string): Problem =>
  unavailable(
    `${service} ended before it answered. Whether it did what was asked is not known: look, or ask again, an order with its Idempotency-Key`,
  );

const unavailable = (detail: string): Problem =>
  new Problem(503, 'Unavailable', detail, { headers: { 'Retry-After': '1' } });

/** How long a service may take to say that it is ready. Its own checks take two seconds at most. */
const READINESS_TIMEOUT_MS = 3_000;

function isReady(host: string, port: number | undefined): Promise<boolean> {
  if (port === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(READINESS_TIMEOUT_MS);
    const probe = forward({ host, port, path: '/readyz', signal }, (answer: IncomingMessage) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    probe.once('error', () => resolve(false));
    probe.end();
  });
}
