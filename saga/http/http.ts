import type { z } from 'zod';
import type { InputFault } from '../input/input-faults.ts';
import type { Caller } from './caller.ts';

/** HTTP as the services see it: a route is a value, and so is its answer. The kernel knows no web framework. */

export interface HttpRequest<Body = unknown, Query = unknown> {
  /** The named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  header(name: string): string | undefined;
  /** Who sends it; absent if nobody asked. */
  readonly caller?: Caller | undefined;
  /** Says that the client has left, which it always does in the end. Only routes that answer with a stream are told. */
  readonly left?: AbortSignal;
}

/** A client that is not known to leave. */
export const STAYS: AbortSignal = new AbortController().signal;

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /**
   * Sent instead of a body, as a stream of server-sent events, until there are no more or the client has left. The next event is
   * asked for once the client has taken the one before: whoever makes them must bound what waits. None is asked for if the client
   * has left by then.
   */
  readonly events?: AsyncIterable<ServerEvent>;
}

/** An event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface ServerEvent {
  readonly event: string;
  /** A client that comes back says the last one in `Last-Event-ID`. */
  readonly id?: string | number;
  /** Sent as JSON. */
  readonly data: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{name}` for its variable parts, as in OpenAPI. */
  readonly path: string;
  readonly summary: string;
  /**
   * Who may use it: operators, who must prove that they are; customers, each for what is theirs where they are told apart; or
   * anybody.
   */
  readonly audience?: 'operators' | 'customers';
  /** The statuses that it answers with, and what each means. */
  readonly responses: Readonly<Record<number, string>>;
  /** The body of an answer that is no problem, as JSON has it; of a stream, whatever it is as a text. */
  readonly answer: z.ZodType;
  /** The route answers with a stream: the data of each kind of event, as JSON has it. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
  /** Such a body, for the description. */
  readonly example?: unknown;
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** A route whose schemas check the input before `handle` sees it. Wrong input is answered with 400. */
export function route<Body = undefined, Query = undefined>(
  definition: Omit<Route, 'handle' | 'body' | 'query'> & {
    readonly body?: z.ZodType<Body>;
    readonly query?: z.ZodType<Query>;
    handle(request: HttpRequest<Body, Query>): Promise<HttpResponse>;
  },
): Route {
  return definition as Route;
}

/** An answer that is not what was asked for, as RFC 9457 describes it. Thrown by a route, sent by the server. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly InputFault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    { errors = [], headers = {} }: { errors?: readonly InputFault[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
    this.headers = headers;
  }
}

export const notFound = (detail: string): Problem => new Problem(404, 'Not found', detail);

/** What a client sends that comes back to a stream. */
export const LAST_EVENT_ID = 'Last-Event-ID';

/** It can't be done now, or it is unknown whether it was done. */
export const unavailable = (detail: string, headers: Record<string, string> = {}): Problem =>
  new Problem(503, 'Unavailable', detail, { headers: { 'Retry-After': '1', ...headers } });

export const invalidInput = (errors: readonly InputFault[]): Problem =>
  new Problem(400, 'Invalid input', "The request has fields that can't be accepted; see errors", { errors });
