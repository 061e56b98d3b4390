import { expect } from 'chai';
import { SignJWT } from 'jose';
import type { Problem } from '../../saga/http/http.ts';
import { AUDIENCE, type Issuer, startIssuer } from '../../test/support/issuer.ts';
import { createCustomerCheck, type KeySettings } from './customer-token.ts';

const SETTINGS: KeySettings = { timeoutMs: 1000, cooldownMs: 0 };
const SECRET = 'hush-hush-hush';
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = Math.floor(Date.now() / 1000);

let issuer: Issuer;
beforeEach(async () => {
  issuer = await startIssuer();
});
afterEach(() => issuer.close());

const checkOf = ({ claim = 'sub', ...settings }: Partial<KeySettings> & { claim?: string } = {}) =>
  createCustomerCheck({ issuer: issuer.url, audience: AUDIENCE, claim }, { ...SETTINGS, ...settings });
/** The name, or the status and the sentence of the refusal. */
const said = (check: ReturnType<typeof checkOf>, token: string) =>
  check(token).catch(({ status, detail }: Problem) => `${status} ${detail}`);

describe('The token of a customer', () => {
  it('says who the customer is, by the claim that was agreed on', async () => {
    expect(await said(checkOf(), await issuer.token())).to.equal('jack');
    const token = await issuer.token({ nick: 'joe', aud: ['other', AUDIENCE], nbf: nowSeconds + 10 });
    expect(await said(checkOf({ claim: 'nick' }), token)).to.equal('joe');
  });

  it('may be signed with RSA', async () => {
    const other = await startIssuer('RS256');
    try {
      const check = createCustomerCheck({ issuer: other.url, audience: AUDIENCE, claim: 'sub' }, SETTINGS);
      expect(await said(check, await other.token())).to.equal('jack');
    } finally {
      await other.close();
    }
  });

  it('[anomaly 39] is signed in one of two ways, even where the issuer has keys for others', async () => {
    const other = await startIssuer('ES384');
    try {
      const check = createCustomerCheck({ issuer: other.url, audience: AUDIENCE, claim: 'sub' }, SETTINGS);
      expect(await said(check, await other.token())).to.equal('401 Your token is not signed by the issuer');
    } finally {
      await other.close();
    }
  });

  const refused: readonly (readonly [what: string, sentence: string, token: () => Promise<string>])[] = [
    ['is missing', 'Send your ID token as Authorization: Bearer', async () => ''],
    ['is no token', 'Your token is not signed by the issuer', async () => SECRET],
    [
      'has three parts that mean nothing',
      'Your token is not signed by the issuer',
      async () => `a.${SECRET}.c`,
    ],
    ['has expired', 'Your token has expired: sign in again', () => issuer.token({ exp: nowSeconds - 60 })],
    ['never expires', 'Your token does not say when it expires', () => issuer.token({ exp: undefined })],
    ['is not valid yet', 'Your token is not valid yet', () => issuer.token({ nbf: nowSeconds + 60 })],
    ['is for another audience', 'Your token is for another audience', () => issuer.token({ aud: SECRET })],
    ['is for no audience', 'Your token is for another audience', () => issuer.token({ aud: undefined })],
    ['is of another issuer', 'Your token is of another issuer', () => issuer.token({ iss: SECRET })],
    ['has no name', 'Your token lacks a claim that is needed', () => issuer.token({ sub: undefined })],
    [
      'has a name that no user can have',
      'Your token has no name of a customer as its sub',
      () => issuer.token({ sub: `${SECRET}/..` }),
    ],
    [
      'needs no signature',
      'Your token is not signed by the issuer',
      async () => `${encode({ alg: 'none' })}.${(await issuer.token()).split('.')[1]}.`,
    ],
    [
      'is signed with the public key as a shared secret',
      'Your token is not signed by the issuer',
      async () => {
        const { keys } = (await (await fetch(`${issuer.url}/keys`)).json()) as { keys: { x: string }[] };
        const [, claims = ''] = (await issuer.token()).split('.');
        return new SignJWT(JSON.parse(Buffer.from(claims, 'base64url').toString()))
          .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
          .sign(Buffer.from(keys[0]?.x ?? ''));
      },
    ],
    [
      'is signed by a key that the issuer does not have',
      'Your token is not signed by the issuer',
      async () => {
        const before = await issuer.token();
        await issuer.rotate();
        return before;
      },
    ],
    [
      'was changed after it was signed',
      'Your token is not signed by the issuer',
      async () => {
        const [header, claims = '', signature] = (await issuer.token()).split('.');
        const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: SECRET };
        return [header, encode(changed), signature].join('.');
      },
    ],
  ];
  for (const [what, sentence, token] of refused) {
    it(`[anomaly 39] is refused where it ${what}, and never quoted`, async () => {
      const problem: Problem = await checkOf()(await token()).then(
        (name) => expect.fail(`It was taken for ${name}'s`),
        (error) => error,
      );
      expect([problem.status, problem.detail]).to.deep.equal([401, sentence]);
      expect(problem.headers['WWW-Authenticate']).to.match(/^Bearer realm="customers"/);
      expect(JSON.stringify(problem)).not.to.contain(SECRET);
    });
  }

  it('[anomaly 39] with an address as its name is refused unless the address was verified', async () => {
    const check = checkOf({ claim: 'email' });
    const token = (claims: object) => issuer.token({ email: 'jack@example.com', ...claims });
    expect(await said(check, await token({ email_verified: true }))).to.equal('jack@example.com');
    for (const claims of [{}, { email_verified: false }, { email_verified: 'true' }]) {
      expect(await said(check, await token(claims))).to.equal(
        '401 Your token has an address that was not verified',
      );
    }
  });
});

describe('The keys of the issuer', () => {
  it('are fetched once for all tokens', async () => {
    const check = checkOf();
    const token = await issuer.token();
    await Promise.all(Array.from({ length: 20 }, () => check(token)));
    await check(token);
    expect(issuer.fetchCount).to.equal(1);
  });

  it('are fetched again where a token names one that is not known', async () => {
    const check = checkOf();
    await check(await issuer.token());
    await issuer.rotate();
    expect(await said(check, await issuer.token({ sub: 'joe' }))).to.equal('joe');
    expect(issuer.fetchCount).to.equal(2);
  });

  it('are not fetched for each of many tokens that name unknown ones', async () => {
    const check = checkOf({ cooldownMs: 60_000 });
    await check(await issuer.token());
    const strange = await issuer.token({}, { kid: 'other' });
    for (let count = 0; count < 5; count++) {
      expect(await said(check, strange)).to.equal('401 Your token is not signed by the issuer');
    }
    expect(issuer.fetchCount).to.equal(1);
  });

  it('[anomaly 37] refuse nobody for ever while the issuer is away, and are kept while they are known', async () => {
    const check = checkOf();
    const token = await issuer.token();
    issuer.away(true);
    expect(await said(check, token)).to.match(
      /^503 The keys of the issuer can't be fetched \(.*500\); try again$/,
    );
    issuer.away(false);
    expect(await said(check, token)).to.equal('jack');
    issuer.away(true);
    expect(await said(check, token)).to.equal('jack');
    const strange = await issuer.token({}, { kid: 'other' });
    expect(await said(check, strange)).to.match(/^503 /);
  });

  it('[anomaly 37] are asked of a machine that is gone, with 503', async () => {
    const check = checkOf();
    const token = await issuer.token();
    await issuer.close();
    expect(await said(check, token)).to.equal(
      "503 The keys of the issuer can't be fetched (ECONNREFUSED); try again",
    );
    issuer = await startIssuer();
  });

  it('[anomaly 39] are taken neither from another issuer nor from where others could change them', async () => {
    const token = await issuer.token();
    for (const lie of [
      { issuer: 'https://elsewhere.example' },
      { jwks_uri: 'http://elsewhere.example/keys' },
      { jwks_uri: undefined },
    ]) {
      issuer.pretend(lie);
      expect(await said(checkOf(), token), JSON.stringify(lie)).to.match(/^503 .*its configuration/);
    }
  });
});
