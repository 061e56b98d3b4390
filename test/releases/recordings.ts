import { readdirSync, readFileSync } from 'node:fs';
import { packageRoot } from '../../programs/config.ts';
import { parseRecording, type Recording } from './recording.ts';

const folder = new URL('test/releases/', packageRoot);

/** The file that keeps what a release left behind. */
export const recordingFile = (release: string): URL => new URL(`${release}.json`, folder);

export const readRecording = (release: string): Recording =>
  parseRecording(readFileSync(recordingFile(release), 'utf8'));

/** The releases that are recorded, the oldest first. */
export function recordedReleases(): string[] {
  const releases = readdirSync(folder).flatMap((name) => /^(\d+\.\d+\.\d+)\.json$/.exec(name)?.[1] ?? []);
  return releases.sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
}
