import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { packageRoot, readTopology } from '../adapters/config.ts';
import { allServices } from '../infra/services.ts';
import { SETTINGS } from './builders.ts';
import { runProgram } from './child.ts';
import { emulatedBus, emulatedEnvironment, freshProjectId } from './emulators.ts';
import { recordedPorts } from './recorded-ports.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');
/** Lines of the file that say something; what is continued is one line. */
const lines = (path: string) =>
  text(path)
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));

describe('The image', () => {
  const instructions = lines('infra/Dockerfile').map((line) => line.split(/\s+(.*)/s));
  const all = (name: string) =>
    instructions.flatMap(([instruction, rest = '']) => (instruction === name ? [rest] : []));
  const lastStage = instructions.slice(instructions.findLastIndex(([instruction]) => instruction === 'FROM'));

  it('has one base of one exact version, small, with the Node that is supported longest', () => {
    const bases = new Set(all('FROM').map((base) => base.replace(/ AS \w+$/, '')));
    expect([...bases]).to.have.length(1);
    expect([...bases][0]).to.match(/^node:24\.\d+\.\d+-bookworm-slim$/);
  });

  it('holds what production needs and nothing that was installed or built elsewhere', () => {
    expect(all('RUN')).to.deep.equal([
      'npm ci --ignore-scripts',
      'npm run -s build',
      'npm ci --omit=dev --ignore-scripts',
    ]);
    expect(lastStage.filter(([instruction]) => ['RUN', 'ADD'].includes(instruction ?? ''))).to.deep.equal([]);
    expect(lines('.dockerignore')).to.include.members([
      '.git',
      '.env',
      '.env.*',
      'node_modules',
      'dist',
      'test',
    ]);
  });

  it('finds in it every file that programs read', () => {
    const copied = lastStage.flatMap(([instruction, rest = '']) =>
      instruction === 'COPY' && !rest.startsWith('--from') ? [rest.split(' ')[0] ?? ''] : [],
    );
    // Whatever is read relative to the root of the package.
    const product = readdirSync(fileURLToPath(packageRoot), { recursive: true, encoding: 'utf8' }).filter(
      (path) =>
        path.endsWith('.ts') && !path.endsWith('.spec.ts') && !/^(node_modules|dist|test|bench)\//.test(path),
    );
    const read = product.flatMap((path) =>
      [...text(path).matchAll(/new URL\('([^']+)', packageRoot\)/g)].map(([, file = '']) => file),
    );
    expect(copied).to.include.members([...new Set(read)]);
  });

  it('runs as nobody in particular, with Node as the process that is told to end', () => {
    expect(all('USER')).to.deep.equal(['1000:1000']);
    expect(all('ENTRYPOINT')).to.deep.equal(['["node", "--enable-source-maps"]']);
    expect(all('CMD')).to.deep.equal(['["dist/frontend/main.js"]']);
    expect(all('ENV')).to.deep.equal(['NODE_ENV=production HOST=0.0.0.0']);
  });
});

describe('The containers for those who have Docker', () => {
  const compose = text('infra/compose.yaml');

  it('are all services, each as its own program', async () => {
    const programs = [...compose.matchAll(/command: \[(dist\/[\w/-]+\.js)\]/g)].map(
      ([, program = '']) => program,
    );
    const services = allServices(await recordedPorts(), SETTINGS).map(({ name }) => `dist/${name}/main.js`);
    expect(programs).to.have.members([
      'dist/infra/create-topology.js',
      'dist/data-init/main.js',
      ...services,
    ]);
    for (const program of programs) expect(existsSync(new URL(program, packageRoot)), program).to.equal(true);
  });

  it('answer this machine alone', () => {
    const published = [...compose.matchAll(/ports: \['([^']+)'\]/g)].map(([, port = '']) => port);
    expect(published).to.not.be.empty;
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).to.deep.equal([]);
  });

  it('[anomaly 26] get topics and subscriptions on an emulator that is there already, and get them once', async function () {
    const projectId = freshProjectId();
    const environment = await emulatedEnvironment(this, projectId);
    const topology = readTopology();
    for (const _ of ['first', 'second']) {
      const program = runProgram('infra/create-topology.js', [], environment);
      expect(await program.exited).to.equal(0);
      expect(program.output()).to.equal(
        `${topology.topics.length} topics and ${Object.keys(topology.subscriptions).length} subscriptions are there`,
      );
    }
    const bus = await emulatedBus(this, { topics: [], subscriptions: {} }, projectId);
    expect(await bus.missing(topology.topics, Object.keys(topology.subscriptions))).to.deep.equal([]);
    await bus.close();
  });

  it('never make anything on Google', async () => {
    const program = runProgram('infra/create-topology.js', [], { PROJECT_ID: 'a-real-project' });
    expect(await program.exited).to.equal(1);
    expect(program.output()).to.equal(
      'There is no emulator (PUBSUB_EMULATOR_HOST): on Google, Terraform makes topics and subscriptions',
    );
  });
});

describe('The workflows', () => {
  const folder = fileURLToPath(new URL('.github/workflows/', packageRoot));
  const workflows = readdirSync(folder).map((name) => [name, text(`.github/workflows/${name}`)] as const);

  it('use actions of an exact version', () => {
    const used = workflows.flatMap(([, workflow]) =>
      [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action),
    );
    expect(
      used.filter((action) => !/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/.test(action) && !action.startsWith('./')),
    ).to.deep.equal([]);
    expect(used).to.have.length.above(5);
  });

  it('may do nothing that they were not given', () => {
    for (const [name, workflow] of workflows) {
      expect(workflow, name).to.match(/^permissions:( \{\}|\n {2}contents: read)$/m);
      expect(workflow, name).to.not.match(/write-all|pull_request_target/);
    }
    const writing = workflows.filter(([, workflow]) => /: write$/m.test(workflow)).map(([name]) => name);
    expect(writing).to.deep.equal(['release.yml']);
  });

  it('run commands that the package has', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const run = workflows.flatMap(([, workflow]) =>
      [...workflow.matchAll(/npm run (\w[\w:-]*)/g)].map(([, script = '']) => script),
    );
    expect(run.filter((script) => !(script in scripts))).to.deep.equal([]);
  });
});
