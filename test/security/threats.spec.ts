import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { numbersOf, titlesIn } from '../house/test-titles.ts';

/** The rows of the table of threats in docs/security.md. */
const document = readFileSync(new URL('docs/security.md', packageRoot), 'utf8');
const section = document.split('\n## Threats\n')[1]?.split('\n## ')[0] ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.slice(2, -2).split(' | '));

describe('docs/security.md', () => {
  it('names for each threat a measure, and a test that exists', () => {
    expect(rows.length).to.be.greaterThan(30);
    const missing = rows.filter(([threat = '', measure = '', test = '', ...surplus]) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
      const isWhole = threat !== '' && measure !== '' && surplus.length === 0;
      return !isWhole || !titlesIn(file).some((one) => numbersOf(one).rest === title);
    });
    expect(missing).to.deep.equal([]);
  });
});
