import { readFileSync, statSync } from 'node:fs';
import { systemClock } from '../adapters/system-clock.ts';
import { loadData, parseData, resetData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { flag, print, readArguments, runCommand, UsageError } from './command.ts';
import { loadDotenv, packageRoot, readConfig } from './config.ts';
import { openStore } from './open-ports.ts';
import { assertStoreAnswers } from './reachability.ts';

async function main(): Promise<number> {
  const options = { reset: flag, yes: flag };
  const { values, positionals } = readArguments({ options, allowPositionals: true });
  if (positionals.length > 1) throw new UsageError('Only one file can be loaded');
  const { reset, yes } = values;
  const file = positionals[0] ?? new URL('data-init/data.json', packageRoot);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}`);
  loadDotenv();
  const config = readConfig(process.env, pipeline);
  if (config.backend === 'memory') {
    throw new Error('BACKEND=memory keeps nothing between processes: npm start loads its data itself');
  }
  const data = parseData(pipeline, readFileSync(file, 'utf8'), String(file));
  if (reset && !yes && !process.env.FIRESTORE_EMULATOR_HOST) {
    throw new Error(
      `--reset would delete all orders, users and stock of ${config.projectId}: add --yes to mean it`,
    );
  }
  const store = await openStore(config);
  await assertStoreAnswers({ store });
  if (reset) {
    await resetData(pipeline, store, (collection, deletedCount) =>
      print(`${collection}: ${deletedCount} deleted`),
    );
  }
  const { loaded, present } = await loadData(
    pipeline,
    store,
    { clock: systemClock, random: Math.random },
    data,
  );
  print(`${loaded} documents loaded, ${present} were there already and stay as they are`);
  await store.close();
  return 0;
}

runCommand('npm run data-init -- [--reset [--yes]] [FILE.json]', main);
