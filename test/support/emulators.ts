import { createFirestoreStore } from '../../adapters/google/firestore-store.ts';
import { createPubSubBus } from '../../adapters/google/pubsub-bus.ts';
import { createTopology } from '../../adapters/google/pubsub-topology.ts';
import { type Emulators, missingForEmulators } from '../../local/emulators.ts';
import type { Topology } from '../../saga/deliver/topology.ts';
import type { Bus } from '../../saga/ports/bus.ts';
import type { Store } from '../../saga/ports/store.ts';
import { shared } from './root-hooks.ts';

export type EmulatorHosts = Pick<Emulators, 'pubsubHost' | 'firestoreHost'>;

let projectCount = 0;

/** What there is to say where the emulators are missing; undefined where they are there. */
const missing = missingForEmulators();

/**
 * One pair of emulators serves all suites of a run, on ports of its own; each suite takes a project of its own, so that
 * none sees another's orders. The first suite that asks has them started (`root-hooks.ts`).
 *
 * Call it in a `before` hook: skips the suite, with the reason, where the emulators are missing. Where
 * REQUIRE_EMULATORS=1 it fails instead.
 */
export async function requireEmulators(context: Mocha.Context): Promise<EmulatorHosts> {
  if (missing.length > 0) {
    const reason = `The suites against the emulators are skipped:\n${missing.join('\n')}`;
    if (process.env.REQUIRE_EMULATORS === '1') throw new Error(reason);
    process.stdout.write(`\n*** ${reason}\n\n`);
    context.skip();
  }
  context.timeout(90_000);
  const hosts = await shared('emulators');
  // Google's clients look for them here.
  process.env.PUBSUB_EMULATOR_HOST = hosts.pubsubHost;
  process.env.FIRESTORE_EMULATOR_HOST = hosts.firestoreHost;
  return hosts;
}

/** A project that no other suite uses. */
export function freshProjectId(): string {
  projectCount++;
  return `demo-test-${process.pid}-${projectCount}`;
}

/** What a program needs to run on the emulators, in a project of its own. Call it in a hook, as `requireEmulators`. */
export async function emulatedEnvironment(context: Mocha.Context, projectId = freshProjectId()) {
  const { pubsubHost, firestoreHost } = await requireEmulators(context);
  return { PROJECT_ID: projectId, PUBSUB_EMULATOR_HOST: pubsubHost, FIRESTORE_EMULATOR_HOST: firestoreHost };
}

/** A store in a project of its own. */
export async function emulatedStore(context: Mocha.Context, projectId = freshProjectId()): Promise<Store> {
  await requireEmulators(context);
  return createFirestoreStore({ projectId, databaseId: '(default)', timeoutMs: 20_000 });
}

/** A bus in a project of its own, with the topics and subscriptions of the topology. */
export async function emulatedBus(
  context: Mocha.Context,
  topology: Topology,
  projectId = freshProjectId(),
): Promise<Bus> {
  await requireEmulators(context);
  await createTopology(projectId, topology);
  return createPubSubBus({ projectId, publishTimeoutMs: 20_000, retryHere: topology });
}

/** The environment of a program that looks for emulators where there are none. */
export const AWAY = {
  PROJECT_ID: 'demo-away',
  PUBSUB_EMULATOR_HOST: '127.0.0.1:1',
  FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
  STORE_TIMEOUT_MS: '100',
};

/** What such a program says of the store. */
export const STORE_IS_AWAY =
  'Firestore did not answer within 100 ms: is it running, and is what FIRESTORE_EMULATOR_HOST (127.0.0.1:1) says right?';

/** The environment of a program that looks for Google, which knows nobody of its name. */
export const STRANGER = { PROJECT_ID: 'demo-stranger', HOME: '/nowhere', METADATA_SERVER_DETECTION: 'none' };
