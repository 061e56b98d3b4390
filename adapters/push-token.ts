import { OAuth2Client } from 'google-auth-library';

/** What a token must say: for whom it is, and by whom. */
export interface PushIdentity {
  /** The audience that the subscription was given. */
  readonly audience: string;
  /** The service account as which Pub/Sub pushes. */
  readonly serviceAccount: string;
}

/** Public keys by their id, as PEM. */
export type Certificates = Readonly<Record<string, string>>;

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];

/**
 * Checks the OIDC token of a push: signature, issuer, audience, expiry, and that it is our service account's.
 * https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 * @param certificates gives Google's keys; the client fetches and keeps them, by default.
 * @returns a function from the `Authorization` header to what is wrong with it; undefined where nothing is.
 */
export function createTokenCheck(
  { audience, serviceAccount }: PushIdentity,
  certificates: () => Promise<Certificates> = googleCertificates(),
): (authorization: string | undefined) => Promise<string | undefined> {
  const client = new OAuth2Client();
  return async (authorization) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'There is no bearer token';
    const keys = await certificates();
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(token, keys, audience, ISSUERS);
      const { email, email_verified: isVerified } = ticket.getPayload() ?? {};
      return email === serviceAccount && isVerified === true
        ? undefined
        : 'The token is not of the service account that may push';
    } catch (error) {
      return `The token is not valid: ${(error as Error).message.slice(0, 200)}`;
    }
  };
}

function googleCertificates(): () => Promise<Certificates> {
  const client = new OAuth2Client();
  return async () => (await client.getFederatedSignonCertsAsync()).certs as Certificates;
}
