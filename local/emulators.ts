import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { until } from './until.ts';

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
/**
 * Only Java's first compiler: an emulator runs for minutes, and in that time the second compiler costs more than it gains
 * (docs/decisions/0006-throughput.md).
 */
const JVM_FLAGS = ['-XX:TieredStopAtLevel=1', '-XX:+UseParallelGC'];

interface Kind {
  readonly title: string;
  /** The variable that may name its place, host:port. */
  readonly hostVariable: string;
  /** The variable that may name the jar. */
  readonly variable: string;
  readonly aptPackage: string;
  /** The component of the Google Cloud CLI, and its folder there. */
  readonly component: string;
  readonly jar: RegExp;
  launch(jar: string): string[];
}

const pubsub: Kind = {
  title: 'Pub/Sub',
  hostVariable: 'PUBSUB_EMULATOR_HOST',
  variable: 'PUBSUB_EMULATOR_JAR',
  aptPackage: 'google-cloud-cli-pubsub-emulator',
  component: 'pubsub-emulator',
  jar: /^cloud-pubsub-emulator.*\.jar$/,
  launch: (jar) => ['-jar', jar],
};

const firestore: Kind = {
  title: 'Firestore',
  hostVariable: 'FIRESTORE_EMULATOR_HOST',
  variable: 'FIRESTORE_EMULATOR_JAR',
  aptPackage: 'google-cloud-cli-firestore-emulator',
  component: 'cloud-firestore-emulator',
  jar: /^cloud-firestore-emulator.*\.jar$/,
  // Not every release of the jar has a main class that takes our flags, so name it, as Google's own script does.
  launch: (jar) => [
    '-Duser.language=en',
    '-cp',
    jar,
    'com.google.cloud.datastore.emulator.firestore.CloudFirestore',
  ],
};

/**
 * What is missing on this machine to run the emulators.
 * @returns a sentence for each missing thing, with what to do; empty if nothing is missing.
 */
export function missingForEmulators(): string[] {
  const missing = [pubsub, firestore].flatMap((kind) => {
    const named = process.env[kind.variable];
    if (named && !existsSync(named)) return [`${kind.variable} names ${named}, which does not exist`];
    if (findJar(kind)) return [];
    return [
      `The ${kind.title} emulator is not installed: install ${kind.aptPackage} from Google's apt repository, ` +
        `or run "gcloud components install ${kind.component}", or name its jar in ${kind.variable}`,
    ];
  });
  if (hasJava()) return missing;
  return [
    'There is no java: install a Java runtime, version 11 or later (Debian: default-jre-headless)',
    ...missing,
  ];
}

/**
 * Starts both emulators, waits until they answer, and points Google's clients in this process at them. They end with `stop`,
 * or when this process is gone.
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
  const starting = [
    startOne(pubsub, pubsubPort, onDeath),
    startOne(firestore, firestorePort, onDeath),
  ] as const;
  const stop = async () => {
    await Promise.allSettled(starting.map(async (one) => (await one).stop()));
  };
  try {
    const [{ address: pubsubHost }, { address: firestoreHost }] = await Promise.all(starting);
    // Google's clients look for them here.
    process.env.PUBSUB_EMULATOR_HOST = pubsubHost;
    process.env.FIRESTORE_EMULATOR_HOST = firestoreHost;
    return { pubsubHost, firestoreHost, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startOne(
  kind: Kind,
  wantedPort: number,
  onDeath: (error: Error) => void,
): Promise<{ address: string; stop(): Promise<void> }> {
  const port = await freePort(kind, wantedPort);
  const leash = fileURLToPath(new URL('leash.js', import.meta.url));
  const place = [`--host=${HOST}`, `--port=${port}`];
  const child = execaNode(leash, ['java', ...JVM_FLAGS, ...kind.launch(findJar(kind) ?? ''), ...place], {
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
    await until('it answers', START_TIMEOUT_MS, () => {
      if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
      return fetch(`http://${address}/`).then(
        (response) => response.ok,
        () => false,
      );
    });
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

/** The wanted port, or any free one for 0. */
async function freePort(kind: Kind, wantedPort: number): Promise<number> {
  const probe = createServer().listen(wantedPort, HOST);
  await once(probe, 'listening').catch(() => {
    throw new Error(
      `Port ${wantedPort}, where the ${kind.title} emulator listens, is in use: stop what listens there, or name another port in ${kind.hostVariable}`,
    );
  });
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

const hasJava = (): boolean => spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;

function findJar({ variable, component, jar }: Kind): string | undefined {
  const named = process.env[variable];
  if (named) return named;
  const firebaseCache = join(homedir(), '.cache', 'firebase', 'emulators');
  return [...cloudCliRoots().map((root) => join(root, 'platform', component)), firebaseCache]
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .find((file) => jar.test(basename(file)));
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
