import { expect } from 'chai';
import { LATER, NOW, storeHolding, uuidOf } from '../../test/support/builders.ts';
import { pageBehind, parsePage, readPage } from './page.ts';

describe('A page of a listing', () => {
  it('is where the page before it ended', () => {
    const place = { createdAt: NOW, id: uuidOf(2) };
    expect(parsePage(pageBehind(place))).to.deep.equal(place);
  });

  it('names the next one only if it is full', async () => {
    const [older, newer] = [
      { id: uuidOf(1), createdAt: NOW },
      { id: uuidOf(2), createdAt: LATER },
    ];
    const store = await storeHolding(
      Object.fromEntries([older, newer].map((one) => [`loans/${one.id}`, one])),
    );
    const pageOf = (limit: number, page?: string) =>
      readPage(store, { collection: 'loans', where: {} }, limit, page);
    expect(await pageOf(3)).to.deep.equal({ documents: [newer, older] });
    expect(await pageOf(1)).to.deep.equal({ documents: [newer], nextPage: pageBehind(newer) });
    expect(await pageOf(1, pageBehind(newer))).to.deep.equal({
      documents: [older],
      nextPage: pageBehind(older),
    });
    expect(await pageOf(1, pageBehind(older))).to.deep.equal({ documents: [] });
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
