import { expect } from 'chai';
import { storeHolding } from '../../test/support/builders.ts';
import { scanPages } from './scan-pages.ts';

describe('All documents of a kind, page by page', () => {
  for (const { documents, pages } of [
    { documents: 0, pages: [0] },
    { documents: 1, pages: [1] },
    { documents: 2, pages: [2, 0] },
    { documents: 5, pages: [2, 2, 1] },
  ]) {
    it(`are ${documents}, each of them once, where a page has two`, async () => {
      const paths = Array.from({ length: documents }, (_, index) => `users/jack/orders/${index}`);
      const store = await storeHolding(Object.fromEntries(paths.map((path) => [path, {}])));
      const found = [];
      for await (const page of scanPages(await store.snapshot(), 'orders', 2)) found.push(page);
      expect(found.map(({ length }) => length)).to.deep.equal(pages);
      expect(found.flat().map(({ path }) => path)).to.deep.equal(paths);
    });
  }
});
