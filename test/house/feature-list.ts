import { readFileSync } from 'node:fs';
import { packageRoot } from '../../programs/config.ts';
import { type Built, FEATURES, type Feature, type Proof } from './features.ts';
import { titlesIn } from './test-titles.ts';

/** docs/features.md, made from the list of features. */

export const FEATURES_PAGE = new URL('docs/features.md', packageRoot);

const INTRODUCTION = `# Features

What published order sagas have, and what the best workflow engines and shops have besides: whether it is built here, and what shows
it. \`npm run docs\` writes this page from a list, and a test checks that each test and each command in it exists.
`;

/** docs/features.md as it must be. */
export function featureDocument(): string {
  const groups = [...new Set(FEATURES.map(({ group }) => group))];
  const sections = groups.map((group) =>
    sectionOf(
      group,
      FEATURES.filter((one) => one.group === group),
    ),
  );
  return `${INTRODUCTION}\n${totals()}\n\n${sections.join('\n\n')}\n`;
}

function totals(): string {
  const count = (built: Built) => FEATURES.filter((one) => one.built === built).length;
  return `Of ${FEATURES.length} features, ${count('yes')} are built, ${count('part')} in part, ${count('no')} not.`;
}

const sectionOf = (group: string, features: readonly Feature[]): string =>
  [
    `## ${group}`,
    '',
    '| # | feature | built | shown by | note |',
    '| --- | --- | --- | --- | --- |',
    ...features.map(
      ({ number, name, built, proof, note = '' }) =>
        `| ${number} | ${name} | ${built} | ${proof ? shown(proof) : ''} | ${note} |`,
    ),
  ].join('\n');

const shown = (proof: Proof): string =>
  proof.kind === 'script'
    ? `\`npm run ${proof.script}\``
    : `[${proof.file}](../${proof.file}): ${proof.title.replace(/^\[[^\]]*\] /, '')}`;

/** What is wrong with the proof of a feature, if anything is. */
export function proofFault({ number, built, proof }: Feature): string | undefined {
  if (built === 'no') return proof && `${number} is not built, but there is a proof of it`;
  if (proof === undefined) return `${number} has no proof`;
  if (proof.kind === 'script') {
    return proof.script in scripts() ? undefined : `${number}: package.json has no script ${proof.script}`;
  }
  return titlesIn(proof.file).includes(proof.title)
    ? undefined
    : `${number}: ${proof.file} has no test "${proof.title}"`;
}

const textOf = (path: string): string => readFileSync(new URL(path, packageRoot), 'utf8');

const scripts = (): object => (JSON.parse(textOf('package.json')) as { scripts: object }).scripts;
