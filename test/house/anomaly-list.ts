import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../programs/config.ts';
import { ANOMALIES, NOT_BUILT } from './anomalies.ts';
import { numbersOf, titlesIn } from './test-titles.ts';

/** docs/anomalies.md, made from the titles of the tests. */

export const ANOMALIES_PAGE = new URL('docs/anomalies.md', packageRoot);

const INTRODUCTION = `# Anomalies

The known ways in which sagas go wrong, what happens here instead, and the tests that show it. \`npm run docs\` writes this page from
the titles of the tests, and a test checks that it is up to date. [reliability.md](reliability.md) says what is promised, and what
each kind of proof can't show.
`;

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
    .flatMap((file) =>
      titlesIn(file).flatMap((title) => {
        const { numbers, rest } = numbersOf(title);
        return numbers.length === 0 ? [] : [{ file, title: rest.replaceAll(/\$\{[^}]*\}/g, '…'), numbers }];
      }),
    );
}

/** docs/anomalies.md as it must be. */
export function anomalyDocument(): string {
  const tests = numberedTests();
  const sections = ANOMALIES.map(({ number, name, what }) => {
    const shown = tests.filter(({ numbers }) => numbers.includes(number));
    const files = [...new Set(shown.map(({ file }) => file))];
    const lines = files.map((file) => {
      const titles = shown.filter((test) => test.file === file).map(({ title }) => title);
      return `- \`${file}\`: ${[...new Set(titles)].join('; ')}\n`;
    });
    const proof = shown.length > 0 ? lines.join('') : `- no test: ${NOT_BUILT[number] ?? 'missing'}\n`;
    return `## ${number}. ${name}\n\n${what}\n\n${proof}`;
  });
  return [INTRODUCTION, ...sections].join('\n');
}
