import { readFileSync, writeFileSync } from 'node:fs';
import { generatedFiles } from '../generate/generated-files.ts';
import { lostSubscriptions } from '../generate/kept-subscriptions.ts';
import { pipeline } from '../pipeline.ts';
import { allServices } from '../saga/deliver/service.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { flag, print, readArguments, runCommand } from './command.ts';
import { packageRoot, readConfig } from './config.ts';
import { openPorts } from './open-ports.ts';

/**
 * Writes what follows from the pipeline into files that are not TypeScript. With --check it writes nothing, names each stale
 * file, and exits with 1 if there is one. A subscription that is there already is kept, unless --drop says otherwise.
 */

const COMMAND = 'npm run generate';
const TOPOLOGY = 'infra/topology.json';

async function main(): Promise<number> {
  const { check, drop } = readArguments({ options: { check: flag, drop: flag } }).values;
  // Only the services' routes are needed, so any ports will do.
  const config = readConfig({ BACKEND: 'memory' }, pipeline);
  const ports = await openPorts(config, topologyOf(pipeline), () => {});
  const stale = generatedFiles(pipeline, allServices(pipeline, ports, config)).flatMap(({ path, render }) => {
    const place = new URL(path, packageRoot);
    const current = textOf(path);
    const fresh = freshText(path, () => render(current));
    return fresh === current ? [] : [{ path, place, current, fresh }];
  });
  if (check) {
    for (const { path } of stale) process.stderr.write(`${path} is stale: ${COMMAND} brings it up to date\n`);
    return stale.length === 0 ? 0 : 1;
  }
  const lost = stale.flatMap(({ path, current, fresh }) =>
    path === TOPOLOGY ? lostSubscriptions(topologyIn(current), JSON.parse(fresh)) : [],
  );
  if (lost.length > 0 && !drop) {
    const advice = 'Name it in `subscriptions` of pipeline.ts to keep it, or say --drop to mean it';
    throw new Error(`${lost.join('\n')}\n${advice}`);
  }
  for (const { path, place, fresh } of stale) {
    writeFileSync(place, fresh);
    print(`${path} is brought up to date`);
  }
  return 0;
}

/** What stands in a file now. Only parts of some files are generated, so none can be made from nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(new URL(path, packageRoot), 'utf8');
  } catch (error) {
    throw new Error(`${path} can't be read, restore it first: ${(error as Error).message}`);
  }
}

function topologyIn(text: string) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${TOPOLOGY} is not JSON, restore it first: ${(error as Error).message}`);
  }
}

function freshText(path: string, render: () => string): string {
  try {
    return render();
  } catch (error) {
    throw new Error(`${path} can't be brought up to date: ${(error as Error).message}`);
  }
}

runCommand(`${COMMAND} -- [--check | --drop]`, main);
