import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { packageVersion } from '../../programs/config.ts';
import { textOf } from './recording.ts';
import { recordingFile } from './recordings.ts';
import { record } from './stories.ts';

/**
 * Records what this release leaves behind, for the releases after it (docs/decisions/0012-upgrades.md). With `--check` it
 * only compares: the file must be what this very code writes.
 */
const { check, again } = parseArgs({
  options: { check: { type: 'boolean', default: false }, again: { type: 'boolean', default: false } },
}).values;

const release = packageVersion();
const file = recordingFile(release);
const name = `test/releases/${release}.json`;
const text = textOf(await record(release));
const present = existsSync(file) ? readFileSync(file, 'utf8') : undefined;

if (check) {
  if (present !== text)
    fail(`${name} is not what this code writes: npm run record-release, before the tag is set`);
  process.stdout.write(`${name} is what this code writes\n`);
} else if (present !== undefined && present !== text && !again) {
  fail(
    `${name} says something else. If ${release} is released, what it wrote is history: raise the version first. If it is ` +
      'not, replace the file: npm run record-release -- --again',
  );
} else {
  writeFileSync(file, text);
  process.stdout.write(`${name} is recorded\n`);
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
