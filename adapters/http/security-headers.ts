import type { RequestHandler } from 'express';

/**
 * What every answer tells browsers and proxies. JSON is no document, so it carries only what has an effect on it, after
 * https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
 */
const HEADERS = {
  // Answers are about people and their orders, so no proxy may keep them.
  'Cache-Control': 'no-store',
  // If a browser shows an answer all the same, nothing in it runs or is loaded, and no page frames it.
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  // No other site loads an answer as a script or an image, which needs no permission.
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

const HTTPS_ONLY = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };

export const securityHeaders: RequestHandler = (request, response, next) => {
  // A browser ignores it over HTTP, and no server may send it there: https://www.rfc-editor.org/rfc/rfc6797#section-7.2
  response.set(request.secure ? { ...HEADERS, ...HTTPS_ONLY } : HEADERS);
  next();
};

/** What an answer that is a page says besides, and a policy of its own: set over the headers of every answer. */
export const PAGE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};
