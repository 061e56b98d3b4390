import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import { type HttpResponse, Problem, type ServerEvent, unavailable } from '../../saga/http/http.ts';
import { waitFor } from '../../saga/http/wait-for.ts';
import type { Clock } from '../../saga/ports/clock.ts';
import type { Log } from '../../saga/ports/log.ts';
import { StoreError } from '../../saga/ports/store.ts';
import { isLoopback } from './operator-gate.ts';
import { clientOf } from './rate-limit.ts';

/** Proxies and load balancers end a connection on which nothing comes, most after 60 s. */
const HEARTBEAT_MS = 15_000;
/** A client that has taken nothing for so long is told to come back, by the end of its stream. */
const STALLED_MS = 60_000;
/** So a token that has expired, or was taken back, does not go on being believed. Clients come back behind what they have read. */
const AGE_MS_MAX = 10 * 60_000;
/** After how long a client comes back. */
const RETRY_MS = 2_000;
/** Each takes one of the 500 requests that Cloud Run lets an instance answer at once, and some memory. */
const STREAMS_MAX = 200;
/** So that one client can't take the streams of all others. People behind one address share it; on this machine, all are one. */
const STREAMS_OF_CLIENT_MAX = STREAMS_MAX / 4;
const RETRY_LATER = { 'Retry-After': '10' };

const EVENT_STREAM = 'text/event-stream';

const STREAM_HEADERS = {
  'Content-Type': EVENT_STREAM,
  // For nginx, which would collect what it passes on.
  'X-Accel-Buffering': 'no',
  // A server that drains need not wait for another request on the connection.
  Connection: 'close',
};

/** Whether an answer is a stream of events. */
export const isEventStream = (response: ServerResponse): boolean =>
  String(response.getHeader('content-type')).startsWith(EVENT_STREAM);

/** Ends a stream at once: its client comes back, to another process if this one ends. */
export function endStream(response: ServerResponse): void {
  // A client that doesn't read would not take the end either.
  if (response.writableNeedDrain) response.destroy();
  else response.end();
}

/** The streams of server-sent events of this process. */
export interface EventStreams {
  /**
   * Makes room for one more, until its client leaves: it may have left already. Call it before anything is waited for.
   * @returns what says that the client has left.
   * @throws Problem 503 if there are too many; 429 if the client has too many of them.
   */
  enter(response: ServerResponse): AbortSignal;
  /** Sends events until there are no more, or the client has left. Never rejects. */
  send(response: ServerResponse, answer: HttpResponse, left: AbortSignal): Promise<void>;
}

export function createEventStreams(
  clock: Clock,
  log: Log,
  { streamsMax = STREAMS_MAX, ofClientMax = STREAMS_OF_CLIENT_MAX } = {},
): EventStreams {
  let count = 0;
  const countByClient = new Map<string, number>();
  return {
    enter(response) {
      const client = clientOf(response.req as Request);
      const ofClient = countByClient.get(client) ?? 0;
      if (ofClient >= ofClientMax && !isLoopback(client)) {
        const detail = `${ofClient} live streams of your address are open; close some of them, or try again later`;
        throw new Problem(429, 'Too many requests', detail, { headers: RETRY_LATER });
      }
      if (count >= streamsMax)
        throw unavailable('Too many live streams are open; try again later', RETRY_LATER);
      const left = new AbortController();
      count++;
      countByClient.set(client, ofClient + 1);
      const leave = () => {
        count--;
        const others = (countByClient.get(client) ?? 1) - 1;
        if (others > 0) countByClient.set(client, others);
        else countByClient.delete(client);
        left.abort();
      };
      if (response.destroyed) leave();
      else response.once('close', leave);
      return left.signal;
    },
    async send(response, { status, headers = {}, events }, left) {
      if (left.aborted) return;
      response.statusCode = status;
      for (const [name, value] of Object.entries({ ...headers, ...STREAM_HEADERS }))
        response.setHeader(name, value);
      if (response.req.method === 'HEAD') {
        response.end();
        return;
      }
      response.write(`retry: ${RETRY_MS}\n\n`);
      const stopBeating = beat(response, clock);
      const spare = clock.after(AGE_MS_MAX, () => endStream(response));
      try {
        for await (const event of events ?? []) {
          // The server drains.
          if (response.writableEnded) return;
          if (!response.write(textOf(event))) await taken(response, left, clock);
        }
      } catch (error) {
        const severity = error instanceof StoreError ? 'WARNING' : 'ERROR';
        log(severity, 'HTTP: a live stream has ended with an error', { error: String(error) });
      } finally {
        stopBeating();
        spare();
        response.end();
      }
    },
  };
}

/** A comment now and then. Returns what stops it. */
function beat(response: ServerResponse, clock: Clock): () => void {
  let stop = () => {};
  const next = () => {
    stop = clock.after(HEARTBEAT_MS, () => {
      // Nothing is sent to a client that doesn't read: it would only pile up.
      if (!response.writableNeedDrain && !response.writableEnded) response.write(':\n\n');
      next();
    });
  };
  next();
  return () => stop();
}

/** Waits until the client has taken what was sent; one that doesn't is left. */
function taken(response: ServerResponse, left: AbortSignal, clock: Clock): Promise<void> {
  return waitFor(left, (done) => {
    response.once('drain', done);
    const cancel = clock.after(STALLED_MS, () => response.destroy());
    return () => {
      response.off('drain', done);
      cancel();
    };
  });
}

function textOf({ event, id, data }: ServerEvent): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    `event: ${event}`,
    `data: ${JSON.stringify(data)}`,
  ];
  return `${lines.join('\n')}\n\n`;
}
