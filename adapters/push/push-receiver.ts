import express, { type Request, type RequestHandler } from 'express';
import type { Inbox, SubscribedInbox } from '../../saga/deliver/inbox.ts';
import { notFound, Problem } from '../../saga/http/http.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { refuseLarger } from '../http/body-limit.ts';
import { type PushedMessage, parsePush } from './push-message.ts';

/** Pub/Sub's largest message has 10 MB; base64 makes it a third longer. */
const BODY_BYTES_MAX = 14 * 1024 * 1024;

/** Says what is wrong with an `Authorization` header; undefined if nothing is. */
export type TokenCheck = (authorization: string | undefined) => Promise<string | undefined>;

/**
 * Answers `POST /push/{subscription}` once the message is done: 204 for an ack, 503 for a nack. Pub/Sub knows nothing in
 * between.
 */
export function pushHandlers(
  subscribed: readonly SubscribedInbox[],
  checkToken: TokenCheck,
  { clock, log }: Pick<Ports, 'clock' | 'log'>,
): RequestHandler[] {
  const inboxes = new Map(subscribed.map(({ subscription, inbox }) => [subscription, inbox]));
  function inboxOf(request: Request): Inbox {
    const inbox = inboxes.get(subscriptionIn(request));
    if (inbox !== undefined) return inbox;
    const paths = [...inboxes.keys()].map((name) => `/push/${name}`);
    throw notFound(`The path must say by which subscription the message comes: ${paths.join(' or ')}`);
  }
  return [
    // Before the body is read: a caller that may not push must not send megabytes.
    async (request, _response, next) => {
      const fault = await checkToken(request.get('authorization'));
      if (fault !== undefined) {
        // Either the caller's settings are wrong or ours; only people can tell.
        log('WARNING', 'A push was refused', { subscription: subscriptionIn(request), error: fault });
        throw new Problem(401, 'Unauthorized', fault);
      }
      inboxOf(request);
      next();
    },
    refuseLarger(BODY_BYTES_MAX),
    express.raw({ type: () => true, limit: BODY_BYTES_MAX }),
    async (request, response) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const pushed = parsePush(request.headers, body, clock.now());
      if ('fault' in pushed) throw new Problem(400, 'Not a pushed message', pushed.fault);
      if (!(await isDone(inboxOf(request), subscriptionIn(request), pushed.message))) {
        throw new Problem(503, 'Not done', 'The message could not be processed now; send it again');
      }
      response.status(204).end();
    },
  ];
}

const subscriptionIn = ({ params }: Request): string => String(params.subscription).slice(0, 200);

/** Puts a message into the inbox of its subscription, where it shares a batch with messages of other requests. */
const isDone = (inbox: Inbox, subscription: string, message: PushedMessage): Promise<boolean> =>
  new Promise((resolve) => {
    inbox.deliver({ ...message, subscription, ack: () => resolve(true), nack: () => resolve(false) });
  });
