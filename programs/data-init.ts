import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLog } from '../adapters/log.ts';
import { loadData, parseData, resetData } from '../data-init/load-data.ts';
import { pipeline } from '../pipeline.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { runCommand } from './command.ts';
import { loadDotenv, packageRoot, readConfig } from './config.ts';
import { openPorts } from './host.ts';
import { assertStoreAnswers } from './reachability.ts';

const USAGE = 'npm run data-init -- [--reset [--yes]] [FILE.json]';

async function main(): Promise<number> {
  const { reset, yes, file } = readArguments(process.argv.slice(2));
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
  const ports = openPorts(config, topologyOf(pipeline), createLog(config.logLevel, { service: 'data-init' }));
  await assertStoreAnswers(ports);
  if (reset) {
    await resetData(pipeline, ports.store, (collection, deletedCount) =>
      print(`${collection}: ${deletedCount} deleted`),
    );
  }
  const { loaded, present } = await loadData(pipeline, ports.store, ports, data);
  print(`${loaded} documents loaded, ${present} were there already and stay as they are`);
  await ports.bus.close();
  await ports.store.close();
  return 0;
}

function readArguments(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { reset: { type: 'boolean', default: false }, yes: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    if (positionals.length > 1) throw new Error('only one file can be loaded');
    return { ...values, file: positionals[0] ?? new URL('data-init/data.json', packageRoot) };
  } catch (error) {
    throw new Error(`${(error as Error).message}\nUsage: ${USAGE}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

runCommand(main, 1);
