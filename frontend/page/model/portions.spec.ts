import { expect } from 'chai';
import { allPortions, withQuery } from './portions.ts';

describe('Work in portions', () => {
  it('asks for each portion by the page to which the one before led, until one leads nowhere', async () => {
    const pages = new Map<string | undefined, { sent: number; next_page?: string }>([
      [undefined, { sent: 100, next_page: 'b' }],
      ['b', { sent: 100, next_page: 'c' }],
      ['c', { sent: 7 }],
    ]);
    const portions = await allPortions(async (page) => pages.get(page) ?? { sent: Number.NaN });
    expect(portions.map(({ sent }) => sent)).to.deep.equal([100, 100, 7]);
  });

  it('comes to an end although a broken server always leads on', async () => {
    let asked = 0;
    await allPortions(async () => {
      asked++;
      return { next_page: 'again' };
    });
    expect(asked).to.equal(1_000);
  });

  it('puts only what is given into the address, escaped', () => {
    expect(withQuery('/orders', { status: '', user: undefined })).to.equal('/orders');
    expect(withQuery('/orders', { user: 'jack & jill', page: '' })).to.equal('/orders?user=jack+%26+jill');
  });
});
