import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, type RateLimitInfo, rateLimit } from 'express-rate-limit';
import { Problem } from '../../saga/http/http.ts';

const WINDOW_MS = 60_000;

/**
 * Answers 429 with Retry-After to a client that sends too much. Each instance counts for itself. A client is an IPv4 address,
 * or the network of an IPv6 address, as far as the app's `trust proxy` lets it be seen.
 * @param perMinute how many requests a client may send per minute; 0: any number.
 */
export function limitedRate(perMinute: number): RequestHandler[] {
  if (perMinute === 0) return [];
  return [
    rateLimit({
      windowMs: WINDOW_MS,
      limit: perMinute,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator: (request) => ipKeyGenerator(withoutPort(request.ip ?? 'unknown')),
      handler: (request, _response, next) => next(tooMany(request, perMinute)),
      // Without this it would print advice about proxies; TRUSTED_PROXIES says how many there are.
      validate: false,
    }),
  ];
}

/** Some proxies add the caller's port, which differs each time. */
const withoutPort = (address: string): string => address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');

function tooMany(request: Request, perMinute: number): Problem {
  const { resetTime } = (request as Request & { rateLimit: RateLimitInfo }).rateLimit;
  const waitMs = resetTime === undefined ? WINDOW_MS : resetTime.getTime() - Date.now();
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const detail = `At most ${perMinute} of these requests are taken in a minute; try again in ${seconds} s`;
  return new Problem(429, 'Too many requests', detail, { headers: { 'Retry-After': String(seconds) } });
}
