import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { type ZodType, z } from 'zod';
import {
  type HttpRequest,
  invalidInput,
  notFound,
  Problem,
  type Route,
  unavailable,
} from '../../saga/http/http.ts';
import { inputFaults } from '../../saga/input/input-faults.ts';
import type { Log } from '../../saga/ports/log.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { systemClock } from '../system-clock.ts';
import { refuseLarger, tooLarge } from './body-limit.ts';
import { callerOf } from './caller-of.ts';
import { createEventStreams, type EventStreams, endStream, isEventStream } from './event-streams.ts';
import { type GatesOf, gatesBy } from './gates.ts';
import { routeOf, uuidIn } from './http-route.ts';
import { localGate } from './local-gate.ts';
import { type About, openApiOf, PROMISE } from './openapi.ts';
import { problemBody } from './problem-body.ts';
import { securityHeaders } from './security-headers.ts';
import { webPageAt } from './web-page.ts';

const BODY_BYTES_MAX = 64 * 1024;
/** Without these, a client that sends a byte now and then could hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;

/** Something that must be in order before requests are taken: a name, and a check that throws or returns false. */
export type ReadinessCheck = readonly [name: string, check: () => Promise<boolean> | boolean];

export interface HttpServer {
  readonly port: number;
  /** Where it answers. */
  readonly url: string;
  /** Takes no further requests; resolves when those under way are answered, or after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * Serves an app on a port; port 0 takes any free one.
 * @throws Error in one clear sentence when the port is taken.
 */
export async function serveHttp(app: Express, host: string, port: number): Promise<HttpServer> {
  const underWay = new Set<ServerResponse>();
  let isClosing = false;
  // A client that keeps its connection alive would go on sending requests over it, and closing would never end.
  const endConnection = (response: ServerResponse) => {
    if (isEventStream(response)) endStream(response);
    else if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  const server = createServer(timeouts, (request, response) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    if (isClosing) endConnection(response);
    app(request, response);
  });
  await once(server.listen(port, host), 'listening').catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === 'EADDRINUSE'
        ? `Port ${port} is in use: stop what listens there, or set PORT to another one`
        : `HTTP can't be served on HOST=${host}, PORT=${port}: ${error.message}`;
    throw new Error(message, { cause: error });
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    port: taken,
    url: urlOf(host, taken),
    async close(timeoutMs) {
      isClosing = true;
      underWay.forEach(endConnection);
      const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
      await once(server.close(), 'close');
      clearTimeout(timer);
    },
  };
}

/** The URL of what answers HTTP on this host, whether that is a name or an address. */
export const urlOf = (host: string, port: number): string =>
  `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Who answers a route instead of its own `handle`, such as a gateway that passes it on; undefined: nobody does. */
export type HandlersOf = (route: Route) => RequestHandler[] | undefined;

export interface HttpAppOptions {
  /** The title for the index and the OpenAPI document. */
  readonly about?: About;
  /** Makes the AsyncAPI document of the messages; without it there is none. */
  readonly asyncApi?: () => object;
  readonly handlersOf?: HandlersOf;
  /** What a request passes before its route answers it here; without it, no request is an operator's. */
  readonly gatesOf?: GatesOf;
  /** How many proxies in front add the caller to X-Forwarded-For. Entries before theirs are not believed. */
  readonly trustedProxies?: number;
  /** Whether only this machine may ask, because nothing stands in front that lets others through. */
  readonly isLocal?: boolean;
  /** What answers `POST /push/{subscription}`; absent if messages are pulled. */
  readonly push?: RequestHandler[];
  /** What every request passes first. */
  readonly first?: readonly RequestHandler[];
  /** What answers `GET /metrics` to operators; without it nothing does. */
  readonly metrics?: RequestHandler | undefined;
  /** The folder of the page that browsers get at `GET /`; without it they get the index, too. */
  readonly webPage?: URL | undefined;
  /** The streams of this process. */
  readonly streams?: EventStreams;
}

/** An Express app that answers routes, with health, an index and the documents for tools beside them. */
export function httpApp(
  routes: readonly Route[],
  readiness: readonly ReadinessCheck[],
  log: Log,
  {
    about = { title: 'saga', version: '0.0.0' },
    asyncApi,
    gatesOf = gatesBy(),
    streams = createEventStreams(systemClock, log),
    handlersOf = () => undefined,
    trustedProxies = 0,
    isLocal = false,
    push = [],
    first = [],
    metrics,
    webPage,
  }: HttpAppOptions = {},
): Express {
  const app = express();
  app.set('query parser', 'simple');
  // Answers are never cached, so no client can ask whether one has changed.
  app.disable('etag');
  app.set('trust proxy', trustedProxies);
  app.disable('x-powered-by');
  app.use(securityHeaders);
  if (isLocal) app.use(localGate);
  for (const handler of first) app.use(handler);
  if (webPage) app.use(webPageAt(webPage));
  app.use(answersAnew);
  app.get('/', (_request, response) => {
    response.json(indexOf(routes, about, asyncApi !== undefined));
  });
  app.get(
    '/openapi.json',
    madeOnce(() => openApiOf(routes, about)),
  );
  if (asyncApi) app.get(ASYNC_API_PATH, madeOnce(asyncApi));
  app.get('/livez', (_request, response) => {
    response.json({ status: 'alive' });
  });
  app.get('/readyz', async (_request, response) => {
    const missing = await failedChecks(readiness);
    if (missing.length === 0) response.json({ status: 'ready' });
    else response.status(503).json({ missing });
  });
  if (metrics) app.get('/metrics', ...gatesOf({ method: 'GET', audience: 'operators' }), metrics);
  if (push.length > 0) {
    app.post('/push/:subscription', ...push);
    app.all('/push/:subscription', onlyTakes(['POST']));
  }
  for (const route of routes) {
    app[route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'](
      expressPath(route.path),
      ...(handlersOf(route) ?? [...gatesOf(route), ...answerHere(route, streams)]),
    );
  }
  // A path that spells a part out before one that leaves it open: `/sagas/pause` fits `/sagas/{uuid}`, too.
  const paths = [...new Set(routes.map((route) => route.path))];
  for (const path of paths.sort((a, b) => variablesIn(a) - variablesIn(b))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method);
    app.all(expressPath(path), onlyTakes(methods));
  }
  app.use((request) => {
    throw notFound(`There is nothing at ${request.path}; GET / lists what there is`);
  });
  app.use(problemHandler(log));
  return app;
}

/** Where the AsyncAPI document is. */
export const ASYNC_API_PATH = '/asyncapi.json';

/** Beyond the files of the page nothing is kept by clients, so nothing is "not modified", whatever they have. */
const answersAnew: RequestHandler = (request, _response, next) => {
  delete request.headers['if-none-match'];
  delete request.headers['if-modified-since'];
  next();
};

/** Making a document takes milliseconds, which a client must not be able to spend again and again. */
function madeOnce(make: () => object): RequestHandler {
  let made: object | undefined;
  return (_request, response) => {
    made ??= make();
    response.json(made);
  };
}

function onlyTakes(methods: readonly string[]): RequestHandler {
  return (request) => {
    throw new Problem(405, 'Method not allowed', `${request.path} takes ${methods.join(', ')}`, {
      headers: { Allow: methods.join(', ') },
    });
  };
}

function answerHere(route: Route, streams: EventStreams): RequestHandler[] {
  const limited = { limit: BODY_BYTES_MAX };
  const parse = route.body
    ? [
        requireJson,
        refuseLarger(BODY_BYTES_MAX),
        express.json({ ...limited, strict: false, verify: refuseUnlessUtf8 }),
      ]
    : [refuseLarger(BODY_BYTES_MAX), express.text({ ...limited, type: () => true })];
  const parsers = route.method === 'GET' ? [] : parse;
  return [
    ...parsers,
    async (request, response) => {
      const left = route.events && streams.enter(response);
      const answer = await route.handle({ ...checkedRequest(route, request), ...(left && { left }) });
      if (answer.events && left) return streams.send(response, answer, left);
      response
        .status(answer.status)
        .set(answer.headers ?? {})
        .json(answer.body);
    },
  ];
}

/** What is no UTF-8 would be read as something else, and two names as the same one. */
function refuseUnlessUtf8(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8' || !isUtf8(body))
    throw new Problem(400, 'Malformed body', 'The body is not UTF-8');
}

function checkedRequest(route: Route, request: Request): HttpRequest {
  // Node would join what was sent twice: to one value, for which no client has asked.
  const twice = Object.keys(route.headers ?? {}).filter(
    (name) => (request.headersDistinct[name.toLowerCase()]?.length ?? 0) > 1,
  );
  if (twice.length > 0) {
    throw invalidInput(twice.map((field) => ({ field, message: 'must be sent once' })));
  }
  const query = checked(route.query ?? NO_PARAMETERS, request.query);
  if (!route.body && typeof request.body === 'string' && !NOTHING.test(request.body)) {
    throw invalidInput([
      { field: 'body', message: 'must be empty: nothing would be done about what it says' },
    ]);
  }
  return {
    params: request.params as Record<string, string>,
    query,
    body: route.body && checked(route.body, request.body),
    header: (name) => request.get(name),
    caller: callerOf(request),
  };
}

/** A body that says nothing. */
const NOTHING = /^\s*(\{\s*\})?\s*$/;

/** Of a route that takes none. A parameter that nothing reads is a mistake, and its sender would wait for its effect. */
const NO_PARAMETERS = z.strictObject({});

function checked(schema: ZodType, input: unknown): unknown {
  const parsed = schema.safeParse(input, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalidInput(inputFaults(parsed.error));
}

function requireJson(request: Request, _response: Response, next: () => void): void {
  if (!request.is('application/json')) {
    throw new Problem(
      415,
      'Unsupported media type',
      'Send JSON with the header Content-Type: application/json',
    );
  }
  next();
}

const variablesIn = (path: string): number => path.split('{').length - 1;

/** Express says `:name` where OpenAPI says `{name}`. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

function indexOf(routes: readonly Route[], { title }: About, hasAsyncApi: boolean): object {
  return {
    name: title,
    promise: PROMISE,
    openapi: '/openapi.json',
    ...(hasAsyncApi && { asyncapi: ASYNC_API_PATH }),
    health: ['/livez', '/readyz'],
    routes: routes.map(
      ({ method, path, summary, audience }) =>
        `${method} ${path}: ${summary}${audience === 'operators' ? ' (operators)' : ''}`,
    ),
  };
}

async function failedChecks(checks: readonly ReadinessCheck[]): Promise<string[]> {
  const passed = await Promise.all(
    checks.map(async ([, check]) => check()).map((one) => one.catch(() => false)),
  );
  return checks.filter((_, index) => !passed[index]).map(([name]) => name);
}

/** Answers with problem+json, whatever was thrown. A surprise is logged, and answered with 500 without details. */
function problemHandler(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = problemOf(error);
    if (problem.status >= 500) {
      const uuid = uuidIn(request.path);
      log(
        problem.status === 500 ? 'ERROR' : 'WARNING',
        // Not the path, because it may name a customer.
        `HTTP ${problem.status} at ${request.method} ${routeOf(request) ?? '(no route)'}`,
        // The order or letter that the request is about. Such an id does not reveal a person.
        { ...(uuid && { uuid }), error: logged(error) },
      );
    }
    response
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .json(problemBody(problem));
  };
}

/** For a surprise, the stack matters, too. */
function logged(error: unknown): string {
  if (error instanceof Problem) return error.detail;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

interface FrameworkError {
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
  readonly limit?: number;
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreError && error.kind !== 'rejected') {
    return unavailable('The store does not answer; try again');
  }
  // The framework's own refusals, such as a body too large, are errors with a status below 500.
  const { status, type, message, limit } = error as FrameworkError;
  if (status === 413) return tooLarge(limit ?? BODY_BYTES_MAX);
  if (type === 'entity.parse.failed')
    return new Problem(400, 'Malformed body', `The body is not JSON: ${message}`);
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status, STATUS_CODES[status] ?? 'Refused', message ?? 'The request was refused');
  }
  return new Problem(500, 'Internal error', 'Something went wrong on our side; it was logged');
}
