import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/**
 * What gcloud would upload of a folder to build from. It reads `.gcloudignore` like Git reads `.gitignore`, and besides
 * that it knows lines that include a file of the same kind.
 */

/** What `.gcloudignore` of a folder leaves out. A folder in the question ends with a slash. */
export function gcloudIgnore(folder: string): Ignore {
  const patterns = readFileSync(join(folder, '.gcloudignore'), 'utf8').replaceAll(
    /^#!include:(.+)$/gm,
    (_, included) => readFileSync(join(folder, included), 'utf8'),
  );
  return ignore().add(patterns);
}

/** The paths of all files that would be uploaded, sorted. */
export function uploadedFiles(folder: string): string[] {
  const ignored = gcloudIgnore(folder);
  const below = (parent: string): string[] =>
    readdirSync(join(folder, parent), { withFileTypes: true }).flatMap((entry) => {
      const path = `${parent}${entry.name}${entry.isDirectory() ? '/' : ''}`;
      if (ignored.ignores(path)) return [];
      return entry.isDirectory() ? below(path) : [path];
    });
  return below('').sort();
}
