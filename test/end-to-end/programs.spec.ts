import { execFile, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createTopology } from '../../adapters/google/pubsub-topology.ts';
import { collectionsOf } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { type Child, runProgram } from '../support/child.ts';
import { shipped } from '../support/data.ts';
import {
  AWAY,
  emulatedEnvironment,
  freshProjectId,
  requireEmulators,
  STORE_IS_AWAY,
  STRANGER,
} from '../support/emulators.ts';
import { longSuite, longTest } from '../support/thorough.ts';

const SUCCESS = pipeline.success;
const ORDER = { item: 'widget', quantity: 2, user: 'jack' };
const post = async (url: string, body: object, path = '/order') => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { uuid: string } };
};
const get = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>;
/** Whoever is done with an order last. */
const LAST_STEP = pipeline.steps.at(-1)?.name;
const urlIn = (line: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';

/** Whether a process still exists. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Listens on some port, so that it is taken. */
async function takenPort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Waits until the order waits for its courier, says the word, and waits for its end. */
async function comesToSuccess(
  lineOf: (pattern: string) => Promise<string> | undefined,
  url: string,
  uuid: string,
): Promise<void> {
  await lineOf(`${LAST_STEP} +(waiting|duplicate) uuid=${uuid}`);
  const waiting = pipeline.steps.at(-1)?.waits;
  const [word] = Object.keys(waiting?.words ?? {});
  const { status } = await post(url, {}, `/${waiting?.path.replace('{uuid}', uuid)}/${word}`);
  expect(status).to.equal(202);
  await lineOf(`${LAST_STEP} +accepted uuid=${uuid}`);
}

describe('npm start', () => {
  let child: Child | undefined;
  afterEach(async () => {
    child?.process.kill('SIGKILL');
    await child?.exited;
  });

  it('runs the whole pipeline with nothing but Node, and an order is paid', async () => {
    child = runProgram('local/start.js', ['--memory'], { PORT: '0' });
    const url = urlIn(await child.line(/The pipeline runs on/));
    const { status, body } = await post(url, ORDER);
    expect(status).to.equal(202);
    await comesToSuccess((pattern) => child?.line(new RegExp(pattern)), url, body.uuid);
    expect(await get(`${url}/order/${body.uuid}`)).to.include({ status: SUCCESS, total_invoice: 20 });
    expect(await get(`${url}/inventory/widget`)).to.include({ quantity: 9_998 });
  });

  longTest('logs no more than LOG_LEVEL asks for', async () => {
    child = runProgram('local/start.js', ['--memory'], { PORT: '0', LOG_LEVEL: 'error' });
    const url = urlIn(await child.line(/The pipeline runs on/));
    await post(url, ORDER);
    child.process.kill('SIGTERM');
    await child.exited;
    expect(child.output()).not.to.match(/ (INFO|WARNING) /);
  });

  it('ends in order when it is told to', async () => {
    child = runProgram('local/start.js', ['--memory'], { PORT: '0' });
    await child.line(/The pipeline runs on/);
    child.process.kill('SIGTERM');
    expect(await child.exited).to.equal(0);
  });

  longTest('ends when npm is told to end, although the shell between them passes nothing on', async () => {
    const script = fileURLToPath(new URL('dist/local/start.js', packageRoot));
    const shell = spawn('sh', ['-c', `true && "${process.execPath}" "${script}" --memory`], {
      env: { PATH: process.env.PATH ?? '', PORT: '0', npm_lifecycle_event: 'start' },
      cwd: fileURLToPath(new URL('dist/', packageRoot)),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<void>((resolve) => shell.stdout.once('close', resolve));
    await new Promise<void>((resolve) => {
      shell.stdout.on('data', (chunk: Buffer) => {
        if (chunk.includes('The pipeline runs on')) resolve();
      });
    });
    shell.kill('SIGTERM');
    // Its output ends when the last process that holds it is gone.
    await ended;
  });

  longTest('says in one sentence that its port is in use, and what to do', async () => {
    const { server, port } = await takenPort();
    child = runProgram('local/start.js', ['--memory'], { PORT: String(port) });
    expect(await child.exited).to.equal(1);
    expect(child.output()).to.equal(
      `Port ${port} is in use: stop what listens there, or set PORT to another one`,
    );
    server.close();
  });

  it('[anomaly 26] names every variable that is wrong, and starts nothing', async () => {
    child = runProgram('local/start.js', ['--memory'], {
      PORT: 'x',
      LOG_LEVEL: 'loud',
      PAYMENT_FAIL_PROBABILITY: '2',
    });
    expect(await child.exited).to.equal(1);
    expect(child.output()).to.match(
      /PORT must be.*\n.*LOG_LEVEL must be.*\n.*PAYMENT_FAIL_PROBABILITY must be/,
    );
  });
});

describe('A service as a process of its own', () => {
  it('[anomaly 26] names the topics and subscriptions that do not exist, and ends', async function () {
    const environment = { ...(await emulatedEnvironment(this)), PORT: '0' };
    const child = runProgram('programs/service.js', ['inventory'], environment);
    expect(await child.exited).to.equal(1);
    expect(child.output())
      .to.contain('frontend')
      .and.to.contain('order-created-sub')
      .and.to.contain('do not exist')
      .and.to.contain('Create them first: npm run create-topology');
  });

  longTest(
    '[anomaly 26] starts while the store is away, and says so, because its setting may be wrong',
    async function () {
      const environment = await emulatedEnvironment(this);
      await createTopology(environment.PROJECT_ID, topologyOf(pipeline));
      const child = runProgram('programs/service.js', ['inventory'], {
        ...AWAY,
        ...environment,
        FIRESTORE_EMULATOR_HOST: AWAY.FIRESTORE_EMULATOR_HOST,
        PORT: '0',
      });
      expect(JSON.parse(await child.line(/FIRESTORE_EMULATOR_HOST/))).to.include({
        severity: 'WARNING',
        message: STORE_IS_AWAY,
      });
      child.process.kill('SIGTERM');
      await child.exited;
    },
  );

  longTest('[anomaly 26] does not start without a project, or half on an emulator', async () => {
    const child = runProgram('programs/service.js', ['inventory'], { PUBSUB_EMULATOR_HOST: '127.0.0.1:1' });
    expect(await child.exited).to.equal(1);
    expect(child.output())
      .to.contain('PROJECT_ID is missing')
      .and.to.contain('FIRESTORE_EMULATOR_HOST is missing');
  });

  longTest('[anomaly 26] does not start on the embedded engine, where it would be alone', async () => {
    const child = runProgram('programs/service.js', ['order'], { BACKEND: 'memory', PORT: '0' });
    expect(await child.exited).to.equal(1);
    expect(child.output()).to.equal(
      'BACKEND=memory: alone in its process, order would hear of no order; npm start runs all services in one',
    );
  });

  longTest(
    '[anomaly 26] does not start as a service that there is not, and names those that there are',
    async () => {
      for (const args of [[], ['inventories'], ['constructor']]) {
        const child = runProgram('programs/service.js', args, {});
        expect(await child.exited).to.equal(1);
        expect(child.output()).to.equal(
          `There is no service "${args[0] ?? ''}": name one of ${serviceNames(pipeline).join(', ')}`,
        );
      }
    },
  );
});

longSuite('npm run start:emulators', () => {
  let stack: Child;
  let second: Child | undefined;
  let url: string;
  const lineOf = (pattern: string) => stack.line(new RegExp(pattern));
  const projectId = freshProjectId();

  before(async function () {
    await requireEmulators(this);
    stack = runProgram('local/start-emulators.js', [], {
      PORT: '0',
      PROJECT_ID: projectId,
      PUBSUB_EMULATOR_HOST: '127.0.0.1:0',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:0',
      METRICS: 'prometheus',
    });
    url = urlIn(await lineOf('The pipeline runs on'));
    await lineOf('gcloud pubsub subscriptions pull');
  });
  afterEach(async function () {
    // A line that did not come in time says nothing of why.
    if (this.currentTest?.isFailed())
      process.stdout.write(`${stack.output().split('\n').slice(-100).join('\n')}\n`);
    second?.process.kill('SIGKILL');
    await second?.exited;
    second = undefined;
  });
  after(async function () {
    this.timeout(20_000);
    stack?.process.kill('SIGTERM');
    await stack?.exited;
  });

  it('runs each service as its own process behind one port, and an order is paid', async () => {
    const { body } = await post(url, ORDER);
    await comesToSuccess(lineOf, url, body.uuid);
    expect(await get(`${url}/order/${body.uuid}`)).to.include({ status: SUCCESS });
    expect(await get(`${url}/inventory/widget`)).to.include({ quantity: 9_998 });
    expect(await get(`${url}/payments/${body.uuid}`)).to.include({ total_invoice: 20 });
    expect(await get(`${url}/readyz`)).to.deep.equal({ status: 'ready' });
  });

  longTest('is found by the doctor, who then reads the emulators themselves', async () => {
    const doctor = runProgram('programs/doctor.js', []);
    expect([await doctor.exited, doctor.answer().split('\n').at(-1)]).to.deep.equal([
      0,
      'Nothing is wrong, and no order is stuck.',
    ]);
  });

  longTest('shows the metrics of each service behind the one port', async () => {
    for (const service of serviceNames(pipeline)) {
      const answer = await fetch(`${url}/metrics/${service}`);
      expect([answer.status, (await answer.text()).includes(`service_name="${service}"`)]).to.deep.equal([
        200,
        true,
      ]);
    }
  });

  longTest('compensates an order whose payment fails', async () => {
    const { body } = await post(url, { ...ORDER, 'payment-error': true });
    await lineOf(`janitor +compensated uuid=${body.uuid}`);
    expect(await get(`${url}/order/${body.uuid}`)).to.include({
      status: 'CANCELED',
      reason: 'PAYMENT_ERROR',
    });
    expect(await get(`${url}/inventory/widget`)).to.include({ quantity: 9_998 });
  });

  longTest('shows its messages to gcloud, and takes none away from a service', async function () {
    const variables = Object.fromEntries(
      [...stack.output().matchAll(/export (CLOUDSDK_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
    );
    expect(Object.keys(variables)).to.have.length(3);
    const { body } = await post(url, ORDER);
    await comesToSuccess(lineOf, url, body.uuid);
    const pull = [
      'pubsub',
      'subscriptions',
      'pull',
      `${pipeline.topicOf(SUCCESS)}-sub`,
      '--auto-ack',
      '--limit=10',
      '--format=json',
    ];
    let stdout: string;
    try {
      ({ stdout } = await promisify(execFile)('gcloud', pull, { env: { ...process.env, ...variables } }));
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isMissing || process.env.REQUIRE_EMULATORS === '1') throw error;
      process.stdout.write('*** Skipped: there is no gcloud on this machine\n');
      return this.skip();
    }
    const pulled = (JSON.parse(stdout) as { message: { data: string } }[]).map(({ message }) =>
      JSON.parse(Buffer.from(message.data, 'base64').toString()),
    );
    expect(pulled.find(({ uuid }) => uuid === body.uuid)).to.deep.equal({
      uuid: body.uuid,
      ...ORDER,
      items: [{ item: 'widget', quantity: 2, price_per_unit: 10 }],
      status: SUCCESS,
      total_invoice: 20,
      delivery_cost: 4,
    });
  });

  longTest('[anomaly 36] starts a service again that was killed, and its orders go on', async function () {
    // The emulator goes on to feed the killed reader for a while; each time, the message comes again after 10 s.
    this.timeout(90_000);
    const pid = Number(/pid=(\d+)/.exec(await lineOf('inventory +listens .*pid='))?.[1]);
    process.kill(pid, 'SIGKILL');
    await lineOf('inventory +ended \\(SIGKILL\\), starts again');
    await lineOf(`inventory +listens .*pid=(?!${pid}\\b)`);
    const { body } = await post(url, ORDER);
    await comesToSuccess(lineOf, url, body.uuid);
    expect(await get(`${url}/order/${body.uuid}`)).to.include({ status: SUCCESS });
  });

  longTest('says in one sentence which port is in use', async function () {
    // The other emulator starts before it is stopped again.
    this.timeout(60_000);
    const { server, port } = await takenPort();
    second = runProgram('local/start-emulators.js', [], {
      PUBSUB_EMULATOR_HOST: `127.0.0.1:${port}`,
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:0',
    });
    expect(await second.exited).to.equal(1);
    expect(second.output()).to.equal(
      `Port ${port}, where the Pub/Sub emulator listens, is in use: stop what listens there, or name another port in PUBSUB_EMULATOR_HOST`,
    );
    server.close();
  });

  longTest('says in one sentence each what is not installed, and how to get it', async () => {
    second = runProgram('local/start-emulators.js', [], {
      PATH: '/nonexistent',
      PUBSUB_EMULATOR_JAR: '/nonexistent/pubsub.jar',
      FIRESTORE_EMULATOR_JAR: '/nonexistent/firestore.jar',
    });
    expect(await second.exited).to.equal(1);
    expect(second.output().split('\n')).to.deep.equal([
      'There is no java: install a Java runtime, version 11 or later (Debian: default-jre-headless)',
      'PUBSUB_EMULATOR_JAR names /nonexistent/pubsub.jar, which does not exist',
      'FIRESTORE_EMULATOR_JAR names /nonexistent/firestore.jar, which does not exist',
    ]);
  });

  longTest('leaves no process behind when it is killed', async function () {
    this.timeout(60_000);
    second = runProgram('local/start-emulators.js', [], {
      PORT: '0',
      PUBSUB_EMULATOR_HOST: '127.0.0.1:0',
      FIRESTORE_EMULATOR_HOST: '127.0.0.1:0',
    });
    await second.line(/OVERRIDES_PUBSUB=/);
    await expectAllToEnd(second, 'SIGKILL');
  });

  // The last one: it ends the stack of all others.
  it('leaves no process behind when it is told to end', async function () {
    this.timeout(60_000);
    expect(await expectAllToEnd(stack, 'SIGTERM')).to.deep.equal([]);
  });
});

/**
 * Ends a stack, and waits until nothing answers any more where its emulator and its services did.
 * @returns the services that were still there when the stack had ended.
 */
async function expectAllToEnd(stack: Child, signal: NodeJS.Signals): Promise<readonly string[]> {
  const emulator = /http:\S+/.exec(await stack.line(/OVERRIDES_PUBSUB=/))?.[0] ?? '';
  // The launcher hears that a service listens before it has printed its last line.
  await Promise.all(serviceNames(pipeline).map((name) => stack.line(new RegExp(`${name} +listens `))));
  // A service that was killed listens again.
  const lines = serviceNames(pipeline).map(
    (name) =>
      stack
        .output()
        .match(new RegExp(`${name} +listens .*`, 'g'))
        ?.at(-1) ?? '',
  );
  expect([emulator, ...lines]).to.not.include('');
  stack.process.kill(signal);
  await stack.exited;
  const left = lines.filter((line) => isAlive(Number(/pid=(\d+)/.exec(line)?.[1])));
  for (const url of [emulator, ...lines.map(urlIn)]) await untilRefused(url);
  return left;
}

/** Resolves when nothing answers there any more. The pause lets the one that ends have the processor. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    const answered = await fetch(url).then(
      (response) => response.text().then(() => true),
      () => false,
    );
    if (!answered) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('npm run trip', () => {
  longTest('takes no argument that it does not know', async () => {
    for (const argument of ['--nonsense', 'emulators']) {
      const child = runProgram('examples/trip/main.js', [argument]);
      expect(await child.exited).to.equal(1);
      expect(child.output()).to.contain(argument);
    }
  });
});

describe('npm run data-init', () => {
  /** So many documents of a collection are in the file that it loads. */
  const loadedIn = (collection: string) => Object.keys(shipped[collection] ?? {}).length;
  const ALL = Object.keys(shipped).reduce((sum, collection) => sum + loadedIn(collection), 0);
  const run = async (args: readonly string[], environment: Record<string, string>) => {
    const child = runProgram('programs/data-init.js', args, environment);
    return { code: await child.exited, output: child.output() };
  };

  longTest(
    '[anomaly 44] loads once, and changes nothing the second time; a reset starts afresh',
    async function () {
      const environment = await emulatedEnvironment(this);
      expect((await run([], environment)).output).to.equal(
        `${ALL} documents loaded, 0 were there already and stay as they are`,
      );
      expect((await run([], environment)).output).to.equal(
        `0 documents loaded, ${ALL} were there already and stay as they are`,
      );
      const reset = await run(['--reset'], environment);
      expect(reset.code).to.equal(0);
      expect(reset.output.split('\n')).to.deep.equal([
        ...collectionsOf(pipeline).map((collection) => `${collection}: ${loadedIn(collection)} deleted`),
        `${ALL} documents loaded, 0 were there already and stay as they are`,
      ]);
    },
  );

  longTest('deletes nothing on Google unless it is told twice', async () => {
    const { code, output } = await run(['--reset'], { PROJECT_ID: 'a-real-project' });
    expect(code).to.equal(1);
    expect(output).to.equal(
      '--reset would delete all orders, users and stock of a-real-project: add --yes to mean it',
    );
  });

  longTest(
    '[anomaly 26] says in one sentence that the store is away, and that nobody lets it in',
    async () => {
      expect(await run([], AWAY)).to.deep.equal({ code: 1, output: STORE_IS_AWAY });
      const { code, output } = await run([], STRANGER);
      expect([code, output.split('\n').length]).to.deep.equal([1, 1]);
      expect(output).to.match(/^Could not load the default credentials.*set PUBSUB_EMULATOR_HOST/);
    },
  );

  for (const [args, fault] of [
    [['--rest'], "'--rest'"],
    [['one.json', 'other.json'], 'Only one file can be loaded'],
    [['nowhere.json'], 'There is no file nowhere.json'],
    [['local'], 'There is no file local'],
  ] as const) {
    longTest(`says what is wrong with ${args.join(' ')}`, async () => {
      const { code, output } = await run(args, { PROJECT_ID: 'a-real-project' });
      expect(code).to.equal(2);
      expect(output).to.contain(fault).and.to.contain('\nUsage: npm run data-init');
    });
  }

  it('says how to call it if it is asked', async () => {
    const { code, output } = await run(['--help'], {});
    expect(code).to.equal(0);
    expect(output).to.match(/^Usage: npm run data-init/);
  });

  it('says what is wrong with its configuration', async () => {
    expect((await run([], {})).output).to.contain('PROJECT_ID is missing');
    expect((await run([], { BACKEND: 'memory' })).output).to.contain('npm start loads its data itself');
  });
});
