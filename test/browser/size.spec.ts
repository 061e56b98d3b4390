import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';

/** What a browser gets, as small as it may be where somebody's line is slow. */
const KILOBYTES_MAX = 100;

describe('What a browser loads to show the page', () => {
  it(`is less than ${KILOBYTES_MAX} KB compressed in all`, () => {
    const folder = new URL('../../frontend/public/', import.meta.url);
    const files = readdirSync(folder);
    expect(files).to.include.members(['index.html', 'page.js', 'page.css']);
    const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, folder))).length, 0);
    expect(bytes).to.be.below(KILOBYTES_MAX * 1000);
  });
});
