import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../programs/config.ts';
import { ANOMALIES, NOT_BUILT } from './anomalies.ts';

/** The list of anomalies in docs/reliability.md, made from the titles of the tests. */

const BEGIN = '<!-- The list is generated from the titles of the tests: npm run docs -->';
const END = '<!-- The end of the generated list -->';
export const RELIABILITY = new URL('docs/reliability.md', packageRoot);

interface NumberedTest {
  readonly file: string;
  readonly title: string;
  readonly numbers: readonly number[];
}

/** Every test whose title says which anomalies it shows. */
export function numberedTests(): NumberedTest[] {
  const root = fileURLToPath(packageRoot);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.spec.ts') && !/^(node_modules|dist)\//.test(file))
    .sort()
    .flatMap((file) => testsIn(file, readFileSync(join(root, file), 'utf8')));
}

function testsIn(file: string, source: string): NumberedTest[] {
  const titles = source.matchAll(
    /\b(?:it|describe)\(\s*(['"`])\[anomal(?:y|ies) ([\d, ]+)\] ((?:\\.|(?!\1).)+)\1/gs,
  );
  return [...titles].map(([, , numbers = '', title = '']) => ({
    file,
    title: title.replaceAll(/\$\{[^}]*\}/g, '…').replaceAll(/\\(.)/g, '$1'),
    numbers: numbers.split(',').map(Number),
  }));
}

/** The document with its list made anew. */
export function withCurrentList(document: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < 0) throw new Error('docs/reliability.md has lost the marks of its generated list');
  return `${document.slice(0, begin)}${BEGIN}\n\n${list()}\n${document.slice(end)}`;
}

function list(): string {
  const tests = numberedTests();
  return ANOMALIES.map(({ number, name, what }) => {
    const shown = tests.filter(({ numbers }) => numbers.includes(number));
    const files = [...new Set(shown.map(({ file }) => file))];
    const lines = files.map((file) => {
      const titles = shown.filter((test) => test.file === file).map(({ title }) => title);
      return `- \`${file}\`: ${[...new Set(titles)].join('; ')}\n`;
    });
    const proof = shown.length > 0 ? lines.join('') : `- no test: ${NOT_BUILT[number] ?? 'missing'}\n`;
    return `**${number}. ${name}.** ${what}\n\n${proof}`;
  }).join('\n');
}
