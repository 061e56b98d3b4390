import { createSign, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { createTokenCheck } from './push-token.ts';

const IDENTITY = { audience: 'https://order.example', serviceAccount: 'push@demo.iam.gserviceaccount.com' };
const ours = generateKeyPairSync('rsa', { modulusLength: 2048 });
const theirs = generateKeyPairSync('rsa', { modulusLength: 2048 });
const CERTIFICATES = { ours: ours.publicKey.export({ type: 'spki', format: 'pem' }).toString() };
const check = createTokenCheck(IDENTITY, async () => CERTIFICATES);

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = Math.floor(Date.now() / 1000);
const CLAIMS = {
  iss: 'https://accounts.google.com',
  aud: IDENTITY.audience,
  sub: '1',
  email: IDENTITY.serviceAccount,
  email_verified: true,
  iat: nowSeconds - 10,
  exp: nowSeconds + 3600,
};

/** A token with these claims, signed by this key. */
function token(claims: object = {}, { key = ours.privateKey, header = {} } = {}): string {
  const signed = `${encode({ alg: 'RS256', kid: 'ours', typ: 'JWT', ...header })}.${encode({ ...CLAIMS, ...claims })}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`;
}
const said = (authorization: string | undefined) => check(authorization);

describe('The keys that tokens are checked with', () => {
  it('are fetched once for all pushes that come meanwhile, and asked for again by the next', async () => {
    let fetched = 0;
    const counting = createTokenCheck(IDENTITY, async () => {
      fetched++;
      return CERTIFICATES;
    });
    const burst = () => Promise.all(Array.from({ length: 50 }, () => counting(`Bearer ${token()}`)));
    expect(new Set([...(await burst()), ...(await burst())])).to.deep.equal(new Set([undefined]));
    expect(fetched).to.equal(2);
  });

  it('[anomaly 37] refuse nobody while they can not be fetched: that is no word about the token', async () => {
    let isAway = true;
    const failing = createTokenCheck(IDENTITY, async () => {
      if (isAway) throw new Error('Google is away');
      return CERTIFICATES;
    });
    const answer = () => failing(`Bearer ${token()}`).catch((error: Error) => error);
    expect(await answer()).to.include({ status: 503 });
    isAway = false;
    expect(await answer()).to.equal(undefined);
  });

  it('[anomaly 37] hold nobody up without end', async () => {
    const silent = createTokenCheck(IDENTITY, () => new Promise(() => {}), 1);
    expect(await silent(`Bearer ${token()}`).catch((error: Error) => error)).to.include({ status: 503 });
  });
});

describe('The token of a push', () => {
  it('is accepted where it is valid and of the service account that may push', async () => {
    expect(await said(`Bearer ${token()}`)).to.equal(undefined);
    expect(await said(`bearer ${token({ iss: 'accounts.google.com' })}`)).to.equal(undefined);
  });

  const forged: readonly (readonly [what: string, authorization: string | undefined])[] = [
    ['is missing', undefined],
    ['is empty', 'Bearer '],
    ['is of another scheme', `Basic ${token()}`],
    ['is no token', 'Bearer hello'],
    ['was signed by another key', `Bearer ${token({}, { key: theirs.privateKey })}`],
    ['names a key that nobody knows', `Bearer ${token({}, { header: { kid: 'other' } })}`],
    [
      'was changed after it was signed',
      `Bearer ${token().replace(/\.[^.]+\./, `.${encode({ ...CLAIMS, sub: '2' })}.`)}`,
    ],
    ['has lost its signature', `Bearer ${token().replace(/[^.]+$/, '')}`],
    ['says that it needs no signature', `Bearer ${encode({ alg: 'none' })}.${encode(CLAIMS)}.`],
    ['has expired', `Bearer ${token({ iat: nowSeconds - 7200, exp: nowSeconds - 3600 })}`],
    ['is not valid yet', `Bearer ${token({ iat: nowSeconds + 3600, exp: nowSeconds + 7200 })}`],
    ['never expires', `Bearer ${token({ exp: undefined })}`],
    ['is for another audience', `Bearer ${token({ aud: 'https://payments.example' })}`],
    ['was issued by another', `Bearer ${token({ iss: 'https://accounts.example' })}`],
    ['is of another account', `Bearer ${token({ email: 'eve@example.com' })}`],
    ['has an address that nobody verified', `Bearer ${token({ email_verified: false })}`],
    ['does not say whose it is', `Bearer ${token({ email: undefined })}`],
  ];
  for (const [what, authorization] of forged) {
    it(`[anomaly 39] is refused where it ${what}`, async () => {
      expect(await said(authorization)).to.be.a('string');
    });
  }

  it('[anomaly 39] is never quoted where it is refused, and what it says neither', async () => {
    const secret = 'an-operators-token-of-32-letters';
    const wrong = [
      secret,
      `ya29.${secret}`,
      `${secret}.b.c`,
      `${encode({ kid: 'ours' })}.${secret}.c`,
      token({ email: secret }, { key: theirs.privateKey }),
      token({ email: secret, iat: undefined }),
      token({ email: secret, exp: nowSeconds - 3600 }),
      token({ iss: secret }),
    ];
    for (const one of wrong) {
      const fault = (await said(`Bearer ${one}`)) as string;
      expect(fault).to.match(/^The token is not valid: \w/);
      expect(fault)
        .not.to.contain(secret)
        .and.not.to.contain(one.split('.')[1] ?? secret);
    }
  });
});
