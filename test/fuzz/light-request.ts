import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Express } from 'express';
import { isEventStream } from '../../adapters/http/event-streams.ts';

/** A request as Node's parser would hand it over: names of headers in lower case, the body in bytes. */
export interface LightRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface LightAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Longer than anything takes that does not wait for ever. */
const PATIENCE_MS = 2_000;

/**
 * Asks an app without a socket: some ten times as fast as over the network, so that a million requests are possible.
 * @throws Error where there is no answer.
 */
export function ask(app: Express, { method, url, headers, body }: LightRequest): Promise<LightAnswer> {
  const request = new IncomingMessage(lightSocket());
  Object.assign(request, {
    method,
    url,
    headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  });
  if (body.length > 0) request.push(body);
  request.push(null);
  const response = new ServerResponse(request);
  const pieces: Buffer[] = [];
  const keep = (piece: unknown) => {
    if (typeof piece === 'string' || piece instanceof Uint8Array) pieces.push(Buffer.from(piece as string));
  };
  const answer = (): LightAnswer => ({
    status: response.statusCode,
    headers: response.getHeaders(),
    body: Buffer.concat(pieces).toString(),
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () =>
        reject(
          new Error(
            `No answer to ${method} ${url} ${JSON.stringify(headers)} ${body.toString('latin1').slice(0, 300)}`,
          ),
        ),
      PATIENCE_MS,
    );
    response.write = (piece: unknown) => {
      keep(piece);
      // A stream may never end: its client leaves.
      if (isEventStream(response)) {
        clearTimeout(timer);
        response.emit('close');
        resolve(answer());
      }
      return true;
    };
    response.end = ((piece: unknown) => {
      clearTimeout(timer);
      keep(piece);
      // Names and values that no HTTP header may have throw here, as they would on a socket.
      if (!response.headersSent) response.writeHead(response.statusCode);
      response.emit('finish');
      resolve(answer());
      return response;
    }) as typeof response.end;
    app(request, response);
  });
}

function lightSocket(): Socket {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  return Object.assign(socket, { remoteAddress: '127.0.0.1', encrypted: false }) as unknown as Socket;
}
