import type { Request } from 'express';
import type { Caller } from '../../saga/http/caller.ts';

/** Who sends a request: a gate finds it out, and the route is told. */

const callers = new WeakMap<Request, Caller>();

export const identify = (request: Request, caller: Caller): void => {
  callers.set(request, caller);
};

/** Undefined if no gate has asked. */
export const callerOf = (request: Request): Caller | undefined => callers.get(request);

/** The token in the Authorization header; empty if there is none. */
export const bearerOf = (request: Request): string =>
  /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? '';
