import { fileURLToPath } from 'node:url';
import { readableLines } from '../adapters/log.ts';
import { pipeline } from '../pipeline.ts';
import { asksForHelp } from '../programs/command.ts';
import { loadDotenv } from '../programs/config.ts';
import { runProcess } from '../programs/run-process.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { greeting } from './shop.ts';
import { startOptions, USAGE } from './start-options.ts';
import { NotUp, supervise } from './supervisor.ts';

/** Keeps the embedded engine running, which needs nothing but Node, and says where it is. */

const print = (line: string) => process.stdout.write(`${line}\n`);
const readable = readableLines(['pipeline', ...serviceNames(pipeline)]);
const warn = (message: string) =>
  print(readable('pipeline', { time: new Date().toISOString(), severity: 'WARNING', message }));

const args = process.argv.slice(2);
loadDotenv();

await runProcess(async () => {
  const folder = optionsIn(args);
  const comesBack = folder ? 'starts again with what it has kept' : 'starts again, empty: it keeps nothing';
  const supervised = await supervise(
    fileURLToPath(new URL('engine.js', import.meta.url)),
    // What it has accepted since it began anew must stay.
    (isFirst) => (isFirst ? args : args.filter((arg) => arg !== '--fresh')),
    (how) => warn(`ended (${how}), ${comesBack}`),
    endWith,
  ).catch(endWith);
  const keeping = folder ? `what it holds stays in ${folder.path}` : 'what it holds is gone when it stops';
  print(greeting(supervised.url, `the embedded engine: ${keeping}.`));
  return supervised;
});

function optionsIn(words: readonly string[]) {
  if (asksForHelp(words)) {
    print(USAGE);
    process.exit(0);
  }
  try {
    return startOptions(words);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    process.exit(2);
  }
}

/** The engine has said why. */
function endWith(error: Error): never {
  if (error instanceof NotUp) process.exit(error.exitCode);
  throw error;
}
