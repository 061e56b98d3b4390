import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { Problem } from '../../saga/http/http.ts';
import { bearerOf, identify } from './caller-of.ts';
import { operatorName } from './operator-name.ts';

/**
 * How a request proves that it is an operator's:
 * - `token`: it has the token;
 * - `platform`: it got here, because what stands in front of the service (such as Cloud Run's IAM) has checked it;
 * - `loopback`: it comes from this machine, and no other can reach the service.
 */
export type OperatorCheck =
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'platform' }
  | { readonly by: 'loopback' };

/** What to do if the operators' routes are closed. */
export const OPERATORS_CLOSED =
  "The operators' routes are closed: set OPERATOR_TOKEN, or OPERATOR_AUTH=platform where Cloud Run's IAM checks";

/** Whether only this machine can reach an address to listen on, or the host of a URL. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|\[::1\])$/i.test(host);

/**
 * Lets only operators pass.
 * @param check how they are known; undefined: no request is an operator's.
 */
export function operatorGate(check: OperatorCheck | undefined): RequestHandler {
  const refusalOf = refusalsBy(check);
  return (request, _response, next) => {
    const refusal = refusalOf(request);
    if (refusal) throw refusal;
    const name = check && operatorName(check, request);
    identify(request, { kind: 'operator', ...(name !== undefined && { name }) });
    next();
  };
}

/** Says why a request may not pass; undefined if it may. */
function refusalsBy(check: OperatorCheck | undefined): (request: Request) => Problem | undefined {
  switch (check?.by) {
    case 'token': {
      const isOperators = holdsToken(check);
      return (request) => (isOperators(request) ? undefined : UNAUTHORIZED);
    }
    case 'platform':
      return () => undefined;
    case 'loopback':
      return (request) => (isOfThisMachine(request) ? undefined : FOREIGN);
    case undefined:
      return () => CLOSED;
  }
}

/** Whether a request shows the operators' token; none does where operators are known by something else. */
export function holdsToken(check: OperatorCheck | undefined): (request: Request) => boolean {
  if (check?.by !== 'token') return () => false;
  const expected = digest(check.token);
  // Digests have the same length whatever was sent, and comparing them takes the same time wherever they differ first.
  return (request) => timingSafeEqual(digest(bearerOf(request)), expected);
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Refuses pages of other sites in the browser of whoever sits at this machine: those that send requests here (known by the
 * origin, or by what the browser says about the site) and those whose own name was made to point here (known by the host). Also
 * refuses callers elsewhere that come through a tunnel or another proxy on this machine, if that says whom it heard. The local
 * gateway is a proxy that heard this machine.
 */
export const isOfThisMachine = (request: Request): boolean =>
  isReadHere(request) && ['same-origin', 'none'].includes(request.get('sec-fetch-site') ?? 'none');

/** The same, but a page of another site may link here: it can't read what its visitor then sees. */
export function isReadHere(request: Request): boolean {
  const host = request.get('host') ?? '';
  const origin = request.get('origin');
  const heard = (request.get('x-forwarded-for') ?? '').split(',').filter(Boolean);
  return (
    isLoopback(host.replace(/:\d+$/, '')) &&
    (origin === undefined || origin === `http://${host}`) &&
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
