import type { IncomingHttpHeaders } from 'node:http';
import express, { type RequestHandler } from 'express';
import { notFound, Problem } from '../saga/http.ts';
import type { Inbox } from '../saga/inbox.ts';
import type { Ports } from '../saga/ports.ts';
import { refuseLarger } from './body-limit.ts';
import { type PushedMessage, parsePush } from './push-message.ts';

/** The largest message that Pub/Sub takes has 10 MB; in base64 it is a third longer. */
const BODY_BYTES_MAX = 14 * 1024 * 1024;

/** Says what is wrong with an `Authorization` header; undefined where nothing is. */
export type TokenCheck = (authorization: string | undefined) => Promise<string | undefined>;

/**
 * Puts a message into the inbox of its subscription, where it shares a batch with those of other requests.
 * @returns once it is done.
 * @throws Problem 503 where it could not be done now, so that it must be sent again.
 */
export async function takeIn(inbox: Inbox, message: PushedMessage): Promise<void> {
  const isDone = await new Promise<boolean>((resolve) => {
    inbox.deliver({ ...message, ack: () => resolve(true), nack: () => resolve(false) });
  });
  if (!isDone) throw new Problem(503, 'Not done', 'The message could not be processed now; send it again');
}

/**
 * Receives one request that pushes a message.
 * @throws Problem 400 where the request is no push, 503 as `takeIn`.
 */
export async function receivePush(
  inbox: Inbox,
  subscription: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
  now: Date,
): Promise<void> {
  const pushed = parsePush(subscription, headers, body, now);
  if ('fault' in pushed) throw new Problem(400, 'Not a pushed message', pushed.fault);
  await takeIn(inbox, pushed.message);
}

/**
 * Answers `POST /push/{subscription}` once the message is done: 204 for an ack, 503 for a nack. Pub/Sub knows nothing
 * between.
 */
export function pushHandlers(
  inboxes: ReadonlyMap<string, Inbox>,
  checkToken: TokenCheck,
  { clock, log }: Pick<Ports, 'clock' | 'log'>,
): RequestHandler[] {
  return [
    // Before the body is read: who may not push has no business sending megabytes.
    async (request, _response, next) => {
      const fault = await checkToken(request.get('authorization'));
      if (fault !== undefined) {
        // Whose settings are wrong, theirs or ours, only people can tell.
        log('WARNING', 'A push was refused', { error: fault });
        throw new Problem(401, 'Unauthorized', fault);
      }
      next();
    },
    refuseLarger(BODY_BYTES_MAX),
    express.raw({ type: () => true, limit: BODY_BYTES_MAX }),
    async (request, response) => {
      const subscription = String(request.params.subscription);
      const inbox = inboxes.get(subscription);
      if (inbox === undefined) {
        const known = [...inboxes.keys()].join(', ');
        throw notFound(`No subscription ${subscription.slice(0, 200)} is pushed here, only ${known}`);
      }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      await receivePush(inbox, subscription, request.headers, body, clock.now());
      response.status(204).end();
    },
  ];
}
