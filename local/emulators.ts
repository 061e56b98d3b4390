import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';

/** Google's official emulators, started straight from their jars. */
export interface Emulators {
  /** host:port, for PUBSUB_EMULATOR_HOST. */
  readonly pubsubHost: string;
  /** host:port, for FIRESTORE_EMULATOR_HOST. */
  readonly firestoreHost: string;
  /** Ends both; resolves when they are gone. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/**
 * Only Java's first compiler: an emulator runs for minutes, and in that time the second compiler costs more than it gains
 * (docs/decisions/0006-throughput.md).
 */
const JVM_FLAGS = ['-XX:TieredStopAtLevel=1', '-XX:+UseParallelGC'];

interface Kind {
  readonly title: string;
  readonly variable: string;
  readonly aptPackage: string;
  readonly component: string;
  /** The jar's path below the root of the Google Cloud CLI, and below the cache of the Firebase CLI. */
  readonly inCloudCli: readonly [folder: string, file: RegExp];
  readonly inFirebaseCache: readonly [folder: RegExp, file: RegExp];
  command(jar: string, port: number): string[];
}

const pubsub: Kind = {
  title: 'Pub/Sub',
  variable: 'PUBSUB_EMULATOR_JAR',
  aptPackage: 'google-cloud-cli-pubsub-emulator',
  component: 'pubsub-emulator',
  inCloudCli: ['platform/pubsub-emulator/lib', /^cloud-pubsub-emulator.*\.jar$/],
  inFirebaseCache: [/^pubsub-emulator-/, /^cloud-pubsub-emulator.*\.jar$/],
  command: (jar, port) => [...JVM_FLAGS, '-jar', jar, `--host=${HOST}`, `--port=${port}`],
};

const firestore: Kind = {
  title: 'Firestore',
  variable: 'FIRESTORE_EMULATOR_JAR',
  aptPackage: 'google-cloud-cli-firestore-emulator',
  component: 'cloud-firestore-emulator',
  inCloudCli: ['platform/cloud-firestore-emulator', /^cloud-firestore-emulator.*\.jar$/],
  inFirebaseCache: [/^cloud-firestore-emulator/, /^cloud-firestore-emulator.*\.jar$/],
  // Not every release of the jar has a main class that takes these flags, so name it, as Google's own script does.
  command: (jar, port) => [
    ...JVM_FLAGS,
    '-Duser.language=en',
    '-cp',
    jar,
    'com.google.cloud.datastore.emulator.firestore.CloudFirestore',
    `--host=${HOST}`,
    `--port=${port}`,
  ],
};

/**
 * What is missing on this machine to run the emulators.
 * @returns a sentence for each missing thing, with what to do; empty if nothing is missing.
 */
export function missingForEmulators(): string[] {
  return [
    ...(hasJava()
      ? []
      : ['There is no java: install a Java runtime, version 11 or later (Debian: default-jre-headless)']),
    ...[pubsub, firestore].flatMap((kind) => {
      const named = process.env[kind.variable];
      if (named && !existsSync(named)) return [`${kind.variable} names ${named}, which does not exist`];
      return findJar(kind)
        ? []
        : [
            `The ${kind.title} emulator is not installed: install ${kind.aptPackage} from Google's apt repository, ` +
              `or run "gcloud components install ${kind.component}", or name its jar in ${kind.variable}`,
          ];
    }),
  ];
}

/**
 * Starts both emulators and waits until they answer. They end with `stop`, or when this process is gone.
 * @param pubsubPort, firestorePort where they listen; 0 takes any free port.
 * @param onDeath is called if one of them ends by itself: its data is lost.
 * @throws Error that says in one sentence what is missing, or which port is in use.
 */
export async function startEmulators(
  pubsubPort: number,
  firestorePort: number,
  onDeath: (error: Error) => void = () => {},
): Promise<Emulators> {
  const missing = missingForEmulators();
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const started = await Promise.allSettled([
    startOne(pubsub, pubsubPort, onDeath),
    startOne(firestore, firestorePort, onDeath),
  ]);
  const stop = async () => {
    await Promise.all(started.map((one) => one.status === 'fulfilled' && one.value.stop()));
  };
  const [startedPubsub, startedFirestore] = started;
  if (startedPubsub?.status !== 'fulfilled' || startedFirestore?.status !== 'fulfilled') {
    await stop();
    throw started.find((one) => one.status === 'rejected')?.reason;
  }
  return { pubsubHost: startedPubsub.value.address, firestoreHost: startedFirestore.value.address, stop };
}

async function startOne(
  kind: Kind,
  wantedPort: number,
  onDeath: (error: Error) => void,
): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await freePort(kind, wantedPort);
  const leash = fileURLToPath(new URL('leash.js', import.meta.url));
  const child = execaNode(leash, ['java', ...kind.command(findJar(kind) ?? '', port)], {
    stdin: 'pipe',
    stdout: 'ignore',
    ipc: false,
    buffer: false,
    reject: false,
    // A group of its own, so that Ctrl-C does not end the emulators before the services have finished.
    detached: true,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-2000);
  });
  let stopping = false;
  const stop = async () => {
    stopping = true;
    child.stdin.end();
    await child;
  };
  const address = `${HOST}:${port}`;
  try {
    await untilAnswering(`http://${address}/`, child);
  } catch (error) {
    await stop();
    throw new Error(
      `The ${kind.title} emulator did not start on ${address}: ${(error as Error).message}\n${complaint}`,
    );
  }
  child.once('exit', () => {
    if (!stopping) onDeath(new Error(`The ${kind.title} emulator has ended by itself; what it held is gone`));
  });
  return { address, stop };
}

async function untilAnswering(url: string, child: Pick<ChildProcess, 'exitCode'>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
    const answered = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await pause(POLL_MS);
  }
  throw new Error(`it did not answer within ${START_TIMEOUT_MS / 1000} s`);
}

/** The wanted port, or any free one for 0. */
async function freePort(kind: Kind, wantedPort: number): Promise<number> {
  const probe = createServer().listen(wantedPort, HOST);
  await once(probe, 'listening').catch(() => {
    throw new Error(
      `Port ${wantedPort}, where the ${kind.title} emulator listens, is in use: stop what listens there`,
    );
  });
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

const hasJava = (): boolean => spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;

function findJar(kind: Kind): string | undefined {
  const named = process.env[kind.variable];
  if (named) return existsSync(named) ? named : undefined;
  const [cliFolder, cliFile] = kind.inCloudCli;
  const [cacheFolder, cacheFile] = kind.inFirebaseCache;
  const cache = join(homedir(), '.cache', 'firebase', 'emulators');
  const inCache = entriesOf(cache)
    .filter((entry) => cacheFolder.test(entry))
    .map((entry) => join(cache, entry));
  return [
    ...cloudCliRoots()
      .map((root) => join(root, cliFolder))
      .flatMap((folder) => filesIn(folder, cliFile)),
    ...inCache.filter((path) => path.endsWith('.jar')),
    ...inCache.flatMap((path) => filesIn(join(path, 'pubsub-emulator', 'lib'), cacheFile)),
  ].at(0);
}

/** Places where the Google Cloud CLI may be: beside the `gcloud` on the PATH, and where its packages put it. */
function cloudCliRoots(): string[] {
  const beside = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'gcloud'))
    .filter(existsSync)
    .map((gcloud) => dirname(dirname(realpathSync(gcloud))));
  return [...beside, '/usr/lib/google-cloud-sdk', join(homedir(), 'google-cloud-sdk')];
}

const filesIn = (folder: string, file: RegExp): string[] =>
  entriesOf(folder)
    .filter((entry) => file.test(entry))
    .map((entry) => join(folder, entry));

const entriesOf = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
