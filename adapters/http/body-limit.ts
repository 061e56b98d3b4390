import type { RequestHandler } from 'express';
import { Problem } from '../../saga/http/http.ts';

/**
 * Refuses a body that announces a too large size before it arrives; the parser would wait for all of it first. If no size is
 * announced, the parser decides.
 */
export function refuseLarger(bytesMax: number): RequestHandler {
  return (request, _response, next) => {
    if (Number(request.headers['content-length']) > bytesMax) throw tooLarge(bytesMax);
    next();
  };
}

/** The rest of the body is not read, so the connection ends. */
export const tooLarge = (bytesMax: number): Problem =>
  new Problem(413, 'Too large', `The body may have at most ${bytesMax / 1024} KiB`, {
    headers: { Connection: 'close' },
  });
