import { expect } from 'chai';
import { NOW, uuidOf } from '../../test/support/builders.ts';
import { pageBehind, parsePage } from './page.ts';

describe('A page of a listing', () => {
  it('is where the page before it ended', () => {
    const place = { createdAt: NOW, id: uuidOf(2) };
    expect(parsePage(pageBehind(place))).to.deep.equal(place);
  });

  const tokenOf = (text: string) => Buffer.from(text).toString('base64url');
  const foreign = [
    '',
    'x',
    tokenOf('1'),
    tokenOf(`-1/${uuidOf(1)}`),
    tokenOf(`1/../${uuidOf(1)}`),
    tokenOf(`1e3/${uuidOf(1)}`),
    tokenOf(`${'9'.repeat(16)}/${uuidOf(1)}`),
    tokenOf(`1/${uuidOf(1)}/x`),
  ];
  for (const token of foreign) {
    it(`[anomaly 42] is not ${JSON.stringify(Buffer.from(token, 'base64url').toString())}`, () => {
      expect(parsePage(token)).to.equal(undefined);
    });
  }
});
