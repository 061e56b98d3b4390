import type { Request, RequestHandler, Response } from 'express';

/** The route that answered a request, as OpenAPI writes it; undefined if none did. Known once the request is answered. */
export function routeOf(request: Request): string | undefined {
  const path: unknown = request.route?.path;
  return typeof path === 'string' ? path.replaceAll(/:(\w+)/g, '{$1}') : undefined;
}

/** The status of a finished response; 499, as nginx writes it, if the client left before there was one. */
export const statusOf = ({ headersSent, statusCode }: Response): number => (headersSent ? statusCode : 499);

/** The first uuid in a path. */
export const uuidIn = (path: string): string | undefined =>
  /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(path)?.[0];

/** Leaves out health probes and fetches of metrics: too frequent to trace or count. */
export const exceptForProbes =
  (handler: RequestHandler): RequestHandler =>
  (request, response, next) =>
    ['/livez', '/readyz', '/metrics'].includes(request.path) ? next() : handler(request, response, next);
