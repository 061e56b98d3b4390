import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';

/** The rows of the table of threats in docs/security.md. */
const document = readFileSync(new URL('docs/security.md', packageRoot), 'utf8');
const section = document.split('\n## Threats\n')[1]?.split('\n## ')[0] ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.slice(2, -2).split(' | '));

/** The titles of a spec, without the numbers of the anomalies that they show. */
function titlesIn(file: string): string[] {
  const url = new URL(file, packageRoot);
  if (!existsSync(url)) return [];
  const titles = readFileSync(url, 'utf8').matchAll(/\bit\(\s*(['"`])((?:\\.|(?!\1).)+)\1/gs);
  return [...titles].map(([, , title = '']) =>
    title.replace(/^\[anomal(y|ies) [\d, ]+\] /, '').replaceAll(/\\(.)/g, '$1'),
  );
}

describe('docs/security.md', () => {
  it('names for each threat a measure, and a test that exists', () => {
    expect(rows.length).to.be.greaterThan(30);
    const missing = rows.filter(([threat = '', measure = '', test = '', ...surplus]) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
      const isWhole = threat !== '' && measure !== '' && surplus.length === 0;
      return !isWhole || !titlesIn(file).includes(title);
    });
    expect(missing).to.deep.equal([]);
  });
});
