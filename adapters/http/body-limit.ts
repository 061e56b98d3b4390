import type { RequestHandler } from 'express';
import { Problem } from '../../saga/http/http.ts';

/**
 * Refuses a body that says it is too large before it comes: the parser would wait for all of it first. One that does not say
 * is left to the parser.
 */
export function refuseLarger(bytesMax: number): RequestHandler {
  return (request, _response, next) => {
    if (Number(request.headers['content-length']) > bytesMax) throw tooLarge(bytesMax);
    next();
  };
}

/** Nobody reads the rest of the body, so the connection ends. */
export const tooLarge = (bytesMax: number): Problem =>
  new Problem(413, 'Too large', `The body may have at most ${bytesMax / 1024} KiB`, {
    headers: { Connection: 'close' },
  });
