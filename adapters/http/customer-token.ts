import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { Problem, unavailable } from '../../saga/http/http.ts';
import { isName } from '../../saga/input/name.ts';
import type { CustomerCheck } from './customer-gate.ts';
import { type CustomerIdentity, isKeySource } from './customer-identity.ts';

/** How the issuer is asked for its keys. */
export interface KeySettings {
  readonly timeoutMs: number;
  /** How long to wait before an unknown key makes us ask again. */
  readonly cooldownMs: number;
}

/** A customer waits for the answer meanwhile. */
const KEY_SETTINGS: KeySettings = { timeoutMs: 5_000, cooldownMs: 30_000 };
/** How long keys are used without asking again: so long, at most, does a key live on that the issuer has withdrawn. */
const KEYS_AGE_MAX_MS = 10 * 60 * 1000;
/** Only signatures by a key that the issuer alone has: never `none`, never one that can be made with the public key. */
const ALGORITHMS = ['RS256', 'ES256'];
const CLOCKS_DIFFER_MAX_SECONDS = 30;

/**
 * Checks the ID token of a customer: signature, issuer, audience and expiry.
 * https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export function createCustomerCheck(
  { issuer, audience, claim }: CustomerIdentity,
  settings: KeySettings = KEY_SETTINGS,
): CustomerCheck {
  const keysOfIssuer = keysOf(issuer, settings);
  return async (token) => {
    if (token === '') throw missing();
    const keys = await keysOfIssuer();
    const verified = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      clockTolerance: CLOCKS_DIFFER_MAX_SECONDS,
      requiredClaims: ['exp', claim],
    }).catch((error: unknown) => {
      throw refusalOf(error);
    });
    return nameIn(verified.payload, claim);
  };
}

function nameIn(payload: JWTPayload, claim: string): string {
  const name = payload[claim];
  if (typeof name !== 'string' || !isName(name)) throw invalid(`has no name of a customer as its ${claim}`);
  // At many issuers, people may enter any address, and have it verified later or never.
  if (claim === 'email' && payload.email_verified !== true)
    throw invalid('has an address that was not verified');
  return name;
}

/** The keys of an issuer: found once by its configuration, then kept, and fetched again when they are old or one is unknown. */
function keysOf(issuer: string, { timeoutMs, cooldownMs }: KeySettings): () => Promise<JWTVerifyGetKey> {
  let finding: Promise<JWTVerifyGetKey> | undefined;
  return () => {
    finding ??= find().catch((error: Error) => {
      finding = undefined;
      throw away(error);
    });
    return finding;
  };

  async function find(): Promise<JWTVerifyGetKey> {
    const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!answer.ok) throw new Error(`its configuration is answered with ${answer.status}`);
    const found = configuration.safeParse(await answer.json());
    if (!found.success) throw new Error('its configuration names no keys');
    // Otherwise one issuer could answer in the name of another.
    if (found.data.issuer !== issuer) throw new Error('its configuration is that of another issuer');
    return createRemoteJWKSet(new URL(found.data.jwks_uri), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: KEYS_AGE_MAX_MS,
    });
  }
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata */
const configuration = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isKeySource) });

/** The library's errors quote claims, so none of them is passed on. */
function refusalOf(error: unknown): Problem {
  if (error instanceof errors.JWTExpired) return invalid('has expired: sign in again');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalid(CLAIM_FAULTS[error.claim] ?? 'lacks a claim that is needed');
  }
  const isOfToken = FAULTS_OF_TOKEN.some((fault) => error instanceof fault);
  return isOfToken ? invalid('is not signed by the issuer') : away(error as Error);
}

const CLAIM_FAULTS: Readonly<Record<string, string>> = {
  iss: 'is of another issuer',
  aud: 'is for another audience',
  nbf: 'is not valid yet',
  exp: 'does not say when it expires',
};
const FAULTS_OF_TOKEN = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTInvalid,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

const missing = (): Problem =>
  unauthorized('Send your ID token as Authorization: Bearer', 'Bearer realm="customers"');
const invalid = (what: string): Problem =>
  unauthorized(`Your token ${what}`, 'Bearer realm="customers", error="invalid_token"');
const unauthorized = (detail: string, challenge: string): Problem =>
  new Problem(401, 'Unauthorized', detail, { headers: { 'WWW-Authenticate': challenge } });

/** It says nothing about the token: the customer may be who they say. */
const away = ({ message, cause }: Error): Problem =>
  unavailable(`The keys of the issuer can't be fetched (${codeOf(cause) ?? message}); try again`);
const codeOf = (cause: unknown): string | undefined => (cause as { code?: string } | undefined)?.code;
