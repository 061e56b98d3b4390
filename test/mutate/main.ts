import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { packageRoot } from '../../programs/config.ts';
import { ROOMS, SCORE_MIN, scopeOf } from './rooms.ts';

/**
 * Changes the product in one place at a time, and shows which changes no test finds.
 *
 *     npm run mutate                              all rooms, one after the other: half an hour
 *     npm run mutate -- saga/ledger               one room
 *     npm run mutate -- saga/commit/batcher.ts    one file
 */

const root = fileURLToPath(packageRoot);
const own = `${root}test/mutate/`;
/** Where Stryker is installed: apart from the rest, because few need it. */
const tools = `${root}node_modules/.cache/mutate/`;
const stryker = `${tools}node_modules/@stryker-mutator/core/bin/stryker.js`;

await install();
const asked = process.argv.slice(2);
for (const path of asked.length > 0 ? asked : Object.keys(ROOMS)) {
  const config = `${root}dist/.mutate.json`;
  writeFileSync(config, JSON.stringify(configFor(path)));
  const { exitCode } = await execa(process.execPath, [stryker, 'run', config], {
    cwd: root,
    stdio: 'inherit',
    reject: false,
  });
  if (exitCode !== 0) process.exitCode = 1;
}

async function install(): Promise<void> {
  const lock = 'package-lock.json';
  if (existsSync(stryker) && readFileSync(tools + lock).equals(readFileSync(own + lock))) return;
  mkdirSync(tools, { recursive: true });
  for (const file of ['package.json', lock]) copyFileSync(own + file, tools + file);
  await execa('npm', ['ci', '--no-audit', '--no-fund'], { cwd: tools, stdio: 'inherit' });
}

/** The options of Stryker, https://stryker-mutator.io/docs/stryker-js/configuration/. */
function configFor(path: string) {
  const { mutate, specs } = scopeOf(path);
  return {
    mutate,
    testRunner: 'mocha',
    plugins: ['@stryker-mutator/mocha-runner'],
    mochaOptions: {
      'no-config': true,
      require: ['dist/test/mutate/limit-tests.js', 'dist/test/mutate/credit-hooks.js'],
      spec: specs,
      // "Edits by hand" makes a thousand edits before its first test: too slow to repeat for each change in the audit.
      grep: "^(?!Edits by hand|.* on (Google's emulators|Firestore|Pub/Sub))",
    },
    // All changes are compiled at once, each behind a switch.
    buildCommand: 'tsc',
    // It would rewrite tsconfig.json with the interface of an older TypeScript.
    tsconfigFile: 'none',
    // Only the tests that pass the changed place run.
    coverageAnalysis: 'perTest',
    // What is evaluated once, while a file loads, would need a process of its own and all tests for each change.
    ignoreStatic: true,
    // Sentences, schemas and patterns: most changes of them are no faults of logic.
    mutator: { excludedMutations: ['StringLiteral', 'ObjectLiteral', 'ArrayDeclaration', 'Regex'] },
    ignorePatterns: ['.data', 'docs'],
    tempDirName: 'dist/.mutate',
    concurrency: availableParallelism(),
    timeoutMS: 5_000,
    reporters: ['clear-text', 'progress-append-only', 'json'],
    jsonReporter: { fileName: `dist/.mutate-${path.replaceAll('/', '-')}.json` },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    // Of less, the run fails.
    thresholds: { high: SCORE_MIN, low: SCORE_MIN, break: SCORE_MIN },
  };
}
