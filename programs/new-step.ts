import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { importPlace, newStep } from '../generate/new-step.ts';
import { pipeline } from '../pipeline.ts';
import { print, readArguments, runCommand, UsageError } from './command.ts';
import { packageRoot } from './config.ts';

/** Writes the folder of a new step, with its spec, and says what to add to the pipeline. */

/** Not in the image: new steps are written where the source is. */
const PIPELINE = 'pipeline.ts';

async function main(): Promise<number> {
  const [name, ...rest] = readArguments({ allowPositionals: true }).positionals;
  if (name === undefined || rest.length > 0) throw new UsageError('Give the new step one name');
  const step = newStep(pipeline, name);
  const folder = new URL(`${name}/`, packageRoot);
  if (existsSync(folder)) throw new Error(`There is a folder ${name}/ already: give the step another name`);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(step.files)) writeFileSync(new URL(file, folder), text);
  const place = importPlace(readFileSync(new URL(PIPELINE, packageRoot), 'utf8'), step.importing);
  print(
    `${fileURLToPath(folder)} has the step, its record, its route and its spec.`,
    '',
    `Add two lines to ${PIPELINE}:`,
    '',
    `  ${step.importing}`,
    `  ${step.name}, // what it does`,
    '',
    `The import goes ${place}, because imports are sorted (npm run format sorts them, too). The other line goes among`,
    'the steps, in the place where orders pass it.',
    '',
    `Then say in ${name}/${name}-step.ts what the step needs, decides and holds, and besides, as "Adding a step" in`,
    'CONTRIBUTING.md explains:',
    '',
    '  - its own account, if it has one, in data-init/data.json; its settings in .env.example',
    '  - the step by hand in saga/step/saga.spec.ts, test/simulation/invariants.ts and test/chaos/verdict.ts',
    '',
    'In the end run npm run generate, npm run check and npm test.',
  );
  return 0;
}

runCommand('npm run new-step -- NAME', main);
