import type { Request, Response } from 'express';

/** The route that answered a request, as OpenAPI writes it; undefined where none did. Known once it is answered. */
export function routeOf(request: Request): string | undefined {
  const path: unknown = request.route?.path;
  return typeof path === 'string' ? path.replaceAll(/:(\w+)/g, '{$1}') : undefined;
}

/** The status of a response that is over; 499 where the client went before there was one, as nginx writes it. */
export const statusOf = ({ headersSent, statusCode }: Response): number => (headersSent ? statusCode : 499);

/** Requests that ask only how the process is: many, all alike, and nobody's. */
export const isProbe = ({ path }: Request): boolean => ['/livez', '/readyz', '/metrics'].includes(path);
