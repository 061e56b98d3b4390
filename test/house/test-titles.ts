import { existsSync, readFileSync } from 'node:fs';
import { packageRoot } from '../../programs/config.ts';

/** How a test or a suite begins, long or not, and its title. */
const BEGINNING = /\b(?:it|describe|longTest|longSuite)\(\s*(['"`])((?:\\.|(?!\1).)+)\1/gs;

/** The titles of the tests and suites in a file, as its source has them; none if there is no such file. */
export function titlesIn(file: string): string[] {
  const url = new URL(file, packageRoot);
  if (!existsSync(url)) return [];
  const beginnings = readFileSync(url, 'utf8').matchAll(BEGINNING);
  return [...beginnings].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));
}

/** A title that begins with the numbers of the anomalies which its test shows. */
const NUMBERED = /^\[anomal(?:y|ies) ([\d, ]+)\] (.+)$/s;

/** The numbers of a title, and the title without them. */
export function numbersOf(title: string): { readonly numbers: readonly number[]; readonly rest: string } {
  const [, numbers, rest = title] = NUMBERED.exec(title) ?? [];
  return { numbers: numbers?.split(',').map(Number) ?? [], rest };
}
