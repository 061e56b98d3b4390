import { existsSync, readFileSync } from 'node:fs';
import { PubSub } from '@google-cloud/pubsub';
import { expect } from 'chai';
import { emulatorOptions } from '../../adapters/google/emulator-options.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { runProgram } from '../support/child.ts';
import { emulatedBus, emulatedEnvironment, freshProjectId } from '../support/emulators.ts';

describe('The containers for those who have Docker', () => {
  const compose = readFileSync(new URL('infra/compose.yaml', packageRoot), 'utf8');

  it('are all services, each as its own process, behind what makes topics and loads users and stock', () => {
    const commands = [...compose.matchAll(/^ {4}command: \[(.+)\]$/gm)].map(([, command = '']) =>
      command.split(', '),
    );
    expect(commands).to.have.deep.members([
      ['dist/programs/create-topology.js'],
      ['dist/programs/data-init.js'],
      ...serviceNames(pipeline).map((name) => ['dist/programs/service.js', name]),
    ]);
    for (const [program = ''] of commands)
      expect(existsSync(new URL(program, packageRoot)), program).to.equal(true);
  });

  it('wait for users and stock, and each for nothing else', () => {
    const services = compose.split(/^(?= {2}[\w-]+:$)/m).slice(1);
    for (const name of serviceNames(pipeline)) {
      const own = services.find((service) => service.startsWith(`  ${name}:\n`));
      expect(own, name).to.contain('    <<: *service\n');
    }
  });

  it('build their one image once, and fetch it from nowhere', () => {
    const [, program = ''] = /^x-program: &program\n((?: {2}.*\n)+)/m.exec(compose) ?? [];
    expect(program)
      .to.match(/^ {2}image: order-saga$/m)
      .and.to.match(/^ {2}pull_policy: never$/m);
    const building = compose.split(/^(?= {0,2}[\w-]+:)/m).filter((block) => /^ +build:/m.test(block));
    expect(building.map((block) => block.split(':')[0]?.trim())).to.deep.equal(['topology']);
  });

  it('each have a port of their own on this machine', () => {
    const ports = [...compose.matchAll(/ports: \['127\.0\.0\.1:(\d+):/g)].map(([, port]) => port);
    expect(new Set(ports).size).to.equal(ports.length);
  });

  it('are told the settings that their steps declare, as far as they are set', () => {
    for (const { name, settings } of pipeline.steps) {
      const [, own = ''] = new RegExp(`^ {2}${name}:\n((?: {4}.*\n)+)`, 'm').exec(compose) ?? [];
      for (const variable of Object.keys(settings)) {
        expect(own, name).to.contain(`      ${variable}: \${${variable}:-}\n`);
      }
    }
  });

  it('answer this machine alone', () => {
    const published = [...compose.matchAll(/ports: \['([^']+)'\]/g)].map(([, port = '']) => port);
    expect(published).to.not.be.empty;
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).to.deep.equal([]);
  });

  it('[anomalies 26, 58] get topics and subscriptions on an emulator that is there already, once, and again if it has forgotten them', async function () {
    const projectId = freshProjectId();
    const environment = await emulatedEnvironment(this, projectId);
    const topology = topologyOf(pipeline);
    const pubsub = new PubSub({ projectId, ...emulatorOptions(environment.PUBSUB_EMULATOR_HOST) });
    const forget = async () => {
      const [subscriptions] = await pubsub.getSubscriptions();
      const [topics] = await pubsub.getTopics();
      expect([topics.length, subscriptions.length]).not.to.include(0);
      await Promise.all([...subscriptions, ...topics].map((one) => one.delete()));
    };
    for (const before of [async () => {}, async () => {}, forget]) {
      await before();
      const program = runProgram('programs/create-topology.js', [], environment);
      expect(await program.exited).to.equal(0);
      expect(program.output()).to.equal(
        `${topology.topics.length} topics and ${Object.keys(topology.subscriptions).length} subscriptions are there`,
      );
    }
    const bus = await emulatedBus(this, { topics: [], subscriptions: {} }, projectId);
    expect(await bus.missing(topology.topics, Object.keys(topology.subscriptions))).to.deep.equal([]);
    await Promise.all([bus.close(), pubsub.close()]);
  });

  it('never make anything on Google', async () => {
    const program = runProgram('programs/create-topology.js', [], { PROJECT_ID: 'a-real-project' });
    expect(await program.exited).to.equal(1);
    expect(program.output()).to.equal(
      'There is no emulator (PUBSUB_EMULATOR_HOST): on Google, Terraform makes topics and subscriptions',
    );
  });
});
