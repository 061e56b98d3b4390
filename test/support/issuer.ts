import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';

/** An issuer of ID tokens on this machine, with keys of its own. */
export interface Issuer {
  readonly url: string;
  /** How often its keys were fetched. */
  readonly fetchCount: number;
  /** A token that is good, or as these claims and the header make it; `undefined` leaves a claim out. */
  token(claims?: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Withdraws its key, and takes another one. */
  rotate(): Promise<void>;
  /** What it says of itself, instead of the truth. */
  pretend(configuration: object): void;
  /** Whether it answers with 500 from now on. */
  away(isAway: boolean): void;
  close(): Promise<void>;
}

export const AUDIENCE = 'shop';

export async function startIssuer(alg: 'RS256' | 'ES256' | 'ES384' = 'ES256'): Promise<Issuer> {
  let keyCount = 0;
  const newKey = async () => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${++keyCount}`;
    return { privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
  };
  let key = await newKey();
  let isAway = false;
  let pretended: object = {};
  let fetchCount = 0;
  const server = createServer((request, response) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const isForKeys = request.url === '/keys';
    if (isForKeys) fetchCount++;
    response.statusCode = isAway ? 500 : 200;
    const answer = isForKeys ? { keys: [key.jwk] } : { issuer: url, jwks_uri: `${url}/keys`, ...pretended };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    get fetchCount() {
      return fetchCount;
    },
    token(claims = {}, header = {}) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      const all = { iss: url, aud: AUDIENCE, sub: 'jack', exp: nowSeconds + 600, ...claims };
      return new SignJWT(all).setProtectedHeader({ alg, kid: key.kid, ...header }).sign(key.privateKey);
    },
    async rotate() {
      key = await newKey();
    },
    pretend(configuration) {
      pretended = configuration;
    },
    away(now) {
      isAway = now;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
