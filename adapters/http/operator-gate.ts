import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { Problem } from '../../saga/http/http.ts';

/**
 * How a request shows that it is an operator's:
 * - `token`: it bears the token;
 * - `platform`: it is here, because somebody in front of the service has checked it, such as Cloud Run's IAM;
 * - `loopback`: it comes from this machine, where nobody else can reach the service.
 */
export type OperatorCheck =
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'platform' }
  | { readonly by: 'loopback' };

/** What to do where nobody is an operator. */
export const OPERATORS_CLOSED =
  "The operators' routes are closed: set OPERATOR_TOKEN, or OPERATOR_AUTH=platform where Cloud Run's IAM checks";

/** Whether an address to listen at, or the host of a URL, can be reached from this machine alone. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i.test(host);

/**
 * Lets only operators pass.
 * @param check how they are known; undefined: nobody is.
 */
export function operatorGate(check: OperatorCheck | undefined): RequestHandler {
  const refusalOf = refusalsBy(check);
  return (request, _response, next) => {
    const refusal = refusalOf(request);
    if (refusal) throw refusal;
    next();
  };
}

/** Says why a request may not pass; undefined where it may. */
function refusalsBy(check: OperatorCheck | undefined): (request: Request) => Problem | undefined {
  switch (check?.by) {
    case 'token': {
      const expected = digest(check.token);
      // Digests have the same length whatever was sent, and comparing them takes the same time wherever they differ.
      return (request) => (timingSafeEqual(digest(bearerOf(request)), expected) ? undefined : UNAUTHORIZED);
    }
    case 'platform':
      return () => undefined;
    case 'loopback':
      return (request) => (isOfThisMachine(request) ? undefined : FOREIGN);
    case undefined:
      return () => CLOSED;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const bearerOf = (request: Request): string =>
  /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? '';

/**
 * Not a page of some other site that the operator's browser shows: neither one that sends requests here (its origin tells, or
 * what the browser says of the site), nor one whose own name was made to lead here (the host tells). And not somebody
 * elsewhere whom a tunnel or another proxy on this machine has heard, as far as it says so: the local gateway is a proxy that
 * has heard this machine.
 */
function isOfThisMachine(request: Request): boolean {
  const host = request.get('host') ?? '';
  const origin = request.get('origin');
  const heard = (request.get('x-forwarded-for') ?? '').split(',').filter(Boolean);
  return (
    isLoopback(host.replace(/:\d+$/, '')) &&
    (origin === undefined || origin === `http://${host}`) &&
    ['same-origin', 'none'].includes(request.get('sec-fetch-site') ?? 'none') &&
    heard.every((address) => isLoopback(address.trim())) &&
    request.get('forwarded') === undefined
  );
}

const UNAUTHORIZED = new Problem(
  401,
  'Unauthorized',
  "This is for operators: send the operators' token as Authorization: Bearer",
  { headers: { 'WWW-Authenticate': 'Bearer realm="operators"' } },
);
const FOREIGN = new Problem(403, 'Forbidden', 'This is for operators on this machine, not for other sites');
const CLOSED = new Problem(403, 'Forbidden', OPERATORS_CLOSED);
