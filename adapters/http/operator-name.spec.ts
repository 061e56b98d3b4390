import { expect } from 'chai';
import type { Request } from 'express';
import type { Problem } from '../../saga/http/http.ts';
import { operatorName, writtenName } from './operator-name.ts';

const asked = (by: 'platform' | 'loopback', headers: Readonly<Record<string, string>>) => {
  const request = {
    get: (name: string) => headers[name],
    headersDistinct: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
  } as unknown as Request;
  return operatorName({ by }, request);
};
const tokenOf = (claims: unknown) =>
  `Bearer e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.SIGNATURE_REMOVED_BY_GOOGLE`;
const PROXY = tokenOf({ email: 'service-1@gcp-sa-iap.iam.gserviceaccount.com' });
const IAP = 'x-goog-authenticated-user-email';

describe("An operator's name", () => {
  it('is what operators say of themselves, where they share a token or a machine', () => {
    expect(asked('loopback', {})).to.equal(undefined);
    for (const name of ['alice', 'Zoë of the night shift', 'x'.repeat(100)]) {
      expect(asked('loopback', { 'saga-operator': writtenName(name) ?? '' })).to.equal(name);
    }
    expect(asked('loopback', { authorization: tokenOf({ email: 'alice@example.com' }) })).to.equal(undefined);
  });

  it('is refused where it is none', () => {
    for (const name of ['', ' ', ' x', 'a\nb', 'x'.repeat(101)]) {
      expect(writtenName(name), name).to.equal(undefined);
      expect(() => asked('loopback', { 'saga-operator': encodeURIComponent(name) }), name)
        .to.throw()
        .that.satisfies(
          ({ status, errors }: Problem) => status === 400 && errors[0]?.field === 'Saga-Operator',
        );
    }
    expect(() => asked('loopback', { 'saga-operator': '%zz' })).to.throw();
  });

  it('is what the platform says, where it has checked who calls', () => {
    const authorization = tokenOf({ email: 'alice@example.com' });
    expect(asked('platform', { authorization })).to.equal('alice@example.com');
    expect(asked('platform', { [IAP]: 'accounts.google.com:alice@example.com' })).to.equal(
      'alice@example.com',
    );
    expect(
      asked('platform', {
        'x-serverless-authorization': PROXY,
        [IAP]: 'accounts.google.com:alice@example.com',
      }),
    ).to.equal('alice@example.com');
  });

  it('[anomaly 39] is nothing that a caller says besides', () => {
    const alice = tokenOf({ email: 'alice@example.com' });
    const bob = tokenOf({ email: 'bob@example.com' });
    const forged = { [IAP]: 'accounts.google.com:bob@example.com', 'saga-operator': 'bob' };
    expect(asked('platform', { ...forged, authorization: alice })).to.equal('alice@example.com');
    // Cloud Run checks this one, and passes the other on as it came.
    const both = { ...forged, 'x-serverless-authorization': alice, authorization: bob };
    expect(asked('platform', both)).to.equal('alice@example.com');
    expect(asked('platform', { ...both, 'x-serverless-authorization': 'Basic x' })).to.equal(undefined);
  });

  it('is unknown where the platform says nothing that can be one', () => {
    for (const authorization of [
      'Bearer x',
      'Bearer a.b.c',
      tokenOf(null),
      tokenOf({ email: 3 }),
      tokenOf({ email: 'a\nb' }),
      tokenOf({ sub: '1' }),
    ]) {
      expect(asked('platform', { authorization }), authorization).to.equal(undefined);
    }
    expect(asked('platform', {})).to.equal(undefined);
  });
});
