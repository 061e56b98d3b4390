import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Response } from 'express';
import { PAGE_HEADERS } from './security-headers.ts';

/**
 * What a page may do: load its own script and style, and talk to the server that it came from. Nothing comes from another host,
 * nothing that is text is run, and no other page may frame it.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the folder of a page: `index.html` at `/` to browsers, who prefer HTML to JSON, and its files below `/page/`. */
export function webPageAt(folder: URL): RequestHandler[] {
  const root = fileURLToPath(folder);
  const files = express.static(root, { index: false, redirect: false, setHeaders });
  const index = (response: Response) => {
    setHeaders(response);
    response.sendFile('index.html', { root, cacheControl: false });
  };
  return [
    (request, response, next) => {
      if (request.path !== '/' || request.method !== 'GET') return next();
      response.vary('Accept');
      if (request.accepts(['json', 'html']) === 'html') index(response);
      else next();
    },
    express.Router().use('/page', files),
  ];
}

/** A browser may keep the files, and asks each time whether they have changed. */
function setHeaders(response: Response): void {
  response.set({
    ...PAGE_HEADERS,
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  });
}
