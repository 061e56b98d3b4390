import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { LICENCES, licenceDocument, productionPackages } from './licence-list.ts';

/** Licences that ask for no more than to be named, and so go with our own. */
const PERMISSIVE = [
  '(MIT OR CC0-1.0)',
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
];

describe('docs/licences.md', () => {
  it('lists what runs in production as it is: npm run docs brings it up to date', () => {
    expect(readFileSync(LICENCES, 'utf8')).to.equal(licenceDocument());
  });

  it('names no licence that would bind who uses this', () => {
    const packages = productionPackages();
    expect(packages.length).to.be.greaterThan(100);
    expect(packages.filter(({ licence }) => !PERMISSIVE.includes(licence))).to.deep.equal([]);
  });
});
