import express, { type RequestHandler } from 'express';
import type { Clock } from '../saga/clock.ts';
import { notFound, Problem } from '../saga/http.ts';
import type { Inbox } from '../saga/inbox.ts';
import { parsePush } from './push-message.ts';

/** The largest message that Pub/Sub takes has 10 MB; in base64 it is a third longer. */
const BODY_LIMIT = '14mb';

/** Says what is wrong with an `Authorization` header; undefined where nothing is. */
export type TokenCheck = (authorization: string | undefined) => Promise<string | undefined>;

/**
 * Answers `POST /push/{subscription}`: hands the message to the inbox of its subscription, where it shares a batch with
 * those of other requests, and answers once it is done: 204 for an ack, 503 for a nack. Pub/Sub knows nothing between.
 */
export function pushHandlers(
  inboxes: ReadonlyMap<string, Inbox>,
  checkToken: TokenCheck,
  clock: Clock,
): RequestHandler[] {
  return [
    // Before the body is read: who may not push has no business sending megabytes.
    async (request, _response, next) => {
      const fault = await checkToken(request.get('authorization'));
      if (fault !== undefined) throw new Problem(401, 'Unauthorized', fault);
      next();
    },
    express.raw({ type: () => true, limit: BODY_LIMIT }),
    async (request, response) => {
      const subscription = String(request.params.subscription);
      const inbox = inboxes.get(subscription);
      if (inbox === undefined) throw notFound(`No subscription ${subscription.slice(0, 200)} is pushed here`);
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const pushed = parsePush(subscription, request.headers, body, clock.now());
      if ('fault' in pushed) throw new Problem(400, 'Not a pushed message', pushed.fault);
      const isDone = await new Promise<boolean>((resolve) => {
        inbox.deliver({ ...pushed.message, ack: () => resolve(true), nack: () => resolve(false) });
      });
      if (!isDone)
        throw new Problem(503, 'Not done', 'The message could not be processed now; send it again');
      response.status(204).end();
    },
  ];
}
