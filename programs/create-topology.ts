import { createTopology } from '../adapters/google/pubsub-topology.ts';
import { pipeline } from '../pipeline.ts';
import { topologyOf } from '../saga/deliver/topology.ts';
import { print, readArguments, runCommand } from './command.ts';
import { loadDotenv, readConfig } from './config.ts';

/** Makes the topics and subscriptions on an emulator that runs already, as in infra/compose.yaml, or that was started anew. */

async function main(): Promise<number> {
  readArguments({});
  loadDotenv();
  const { projectId, isEmulated } = readConfig(process.env, pipeline);
  if (!isEmulated) {
    throw new Error(
      'There is no emulator (PUBSUB_EMULATOR_HOST): on Google, Terraform makes topics and subscriptions',
    );
  }
  const topology = topologyOf(pipeline);
  await createTopology(projectId, topology);
  const [topics, subscriptions] = [topology.topics.length, Object.keys(topology.subscriptions).length];
  print(`${topics} topics and ${subscriptions} subscriptions are there`);
  return 0;
}

runCommand('npm run create-topology', main);
