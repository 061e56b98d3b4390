import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { Problem } from '../../saga/http/http.ts';

/** Who sends a request: an IPv4 address, or the network of an IPv6 address, as far as the app's `trust proxy` lets it be seen. */
export const clientOf = (request: Request): string => ipKeyGenerator(withoutPort(request.ip ?? 'unknown'));

/**
 * Answers 429 with Retry-After to a client that sends too much. Each instance counts for itself.
 * @param perMinute how many requests a client may send per minute; 0: any number.
 */
export function limitedRate(perMinute: number): RequestHandler[] {
  if (perMinute === 0) return [];
  return [
    rateLimit({
      windowMs: 60_000,
      limit: perMinute,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator: clientOf,
      handler(_request, response, next) {
        const again = `try again in ${response.get('Retry-After')} s`;
        const detail = `At most ${perMinute} of these requests are taken in a minute; ${again}`;
        next(new Problem(429, 'Too many requests', detail));
      },
      // Without this it would print advice about proxies; TRUSTED_PROXIES says how many there are.
      validate: false,
    }),
  ];
}

/** Some proxies add the caller's port, which differs each time. */
const withoutPort = (address: string): string => address.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
