import { Webhook as Signer } from 'standardwebhooks';
import { messageFor, snapshot } from '../saga/deliver/message.ts';
import { CANCELED, type Ledger } from '../saga/ledger/ledger.ts';
import type { PostRequest } from '../saga/ports/post.ts';
import type { Saga } from '../saga/step/saga.ts';
import type { Webhook } from './settings.ts';

/**
 * What a customer's system is told, and what becomes of its answer. It follows Standard Webhooks, of which the library knows
 * the signature: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

/** Whether an order has come to the end that this topic announces. Only its ledger says so: anybody may publish. */
export const hasComeTo = (saga: Saga, { status }: Ledger, topic: string): boolean =>
  (status === saga.success || status === CANCELED) && saga.topicOf(status) === topic;

/**
 * The request that tells what became of an order. A repeat has the same `webhook-id`, by which its receiver knows it again.
 * @param ledger of an order at its end.
 * @param now the moment of sending, which is signed, too, so that nobody can send it again later.
 */
export function notificationFor(
  saga: Saga,
  ledger: Ledger,
  { url, secret, timeoutMs }: Webhook,
  now: Date,
): PostRequest {
  const { 'ce-id': id = '', 'ce-type': type, 'ce-time': timestamp } = messageFor(saga, ledger).attributes;
  const body = JSON.stringify({ type, timestamp, data: snapshot(saga, ledger) });
  return {
    url,
    timeoutMs,
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Signer(secret).sign(id, now, body),
    },
  };
}

/**
 * What came of a notification, by the status of the answer: the receiver has it; it wants no more of them, ever; or it must
 * be told again, whatever else it answers.
 */
export function verdictOn(status: number): 'notified' | 'unwanted' | 'again' {
  if (status >= 200 && status <= 299) return 'notified';
  return status === 410 ? 'unwanted' : 'again';
}
