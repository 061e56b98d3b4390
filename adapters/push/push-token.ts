import { OAuth2Client } from 'google-auth-library';
import { Problem } from '../../saga/http/http.ts';
import { endsWithin } from '../../saga/ports/clock.ts';
import { systemClock } from '../system-clock.ts';
import type { TokenCheck } from './push-receiver.ts';

/** What a token must say: whom it is for, and whose it is. */
export interface PushIdentity {
  /** The audience that the subscription was given. */
  readonly audience: string;
  /** The service account as which Pub/Sub pushes. */
  readonly serviceAccount: string;
}

/** Public keys by their id, as PEM. */
export type Certificates = Readonly<Record<string, string>>;

/** Pub/Sub itself waits 10 s for its answer. */
const CERTIFICATES_TIMEOUT_MS = 5_000;
const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

/**
 * Checks the OIDC token of a push: signature, issuer, audience, expiry, and that it is our service account's.
 * https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 * @param certificates gets Google's keys; by default the client fetches and caches them.
 * @returns a function from the `Authorization` header to what is wrong with it; undefined if nothing is. It throws a Problem
 * 503 while the keys can't be fetched: the push must then come again.
 */
export function createTokenCheck(
  { audience, serviceAccount }: PushIdentity,
  certificates: () => Promise<Certificates> = googleCertificates(),
  timeoutMs = CERTIFICATES_TIMEOUT_MS,
): TokenCheck {
  const client = new OAuth2Client();
  let fetching: Promise<Certificates> | undefined;
  /** An instance that starts has many pushes and no keys yet, so one request for the keys serves all of them. */
  function currentKeys(): Promise<Certificates> {
    fetching ??= fetchKeys()
      .catch((error: Error) => {
        throw new Problem(503, 'Unavailable', `Google's keys can't be fetched: ${error.message}`);
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  }
  async function fetchKeys(): Promise<Certificates> {
    const keys = certificates();
    if (await endsWithin(systemClock, timeoutMs, keys)) return keys;
    throw new Error('There is no answer');
  }
  return async (authorization) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'The request has no token: its Authorization must be "Bearer <token>"';
    const keys = await currentKeys();
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(token, keys, audience, ISSUERS);
      const { email, email_verified: isVerified } = ticket.getPayload() ?? {};
      return email === serviceAccount && isVerified === true
        ? undefined
        : 'The token is not of PUSH_SERVICE_ACCOUNT, the service account that may push';
    } catch (error) {
      return `The token is not valid: ${withoutQuotes((error as Error).message)}`;
    }
  };
}

/** The library's message ends with the token or its claims. A secret that was sent by mistake must not get into the log. */
const withoutQuotes = (message: string): string => (message.split(/: |, | '/)[0] as string).slice(0, 200);

function googleCertificates(): () => Promise<Certificates> {
  const client = new OAuth2Client();
  return async () => (await client.getFederatedSignonCertsAsync()).certs as Certificates;
}
