import { expect } from 'chai';
import { assertDocumentPath } from './store.ts';

describe('What is no path of a document', () => {
  it('is named, but no more of it than fits in a line', () => {
    for (const [path, named] of [
      ['users', 'users'],
      ['x'.repeat(9_999), 'x'.repeat(200)],
    ] as const)
      expect(() => assertDocumentPath(path)).to.throw(
        new RegExp(`^"${named}" is not the path of a document$`),
      );
  });
});
