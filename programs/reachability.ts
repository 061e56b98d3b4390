import type { Topology } from '../saga/deliver/topology.ts';
import { LEDGERS } from '../saga/ledger/ledger.ts';
import { endsWithin } from '../saga/ports/clock.ts';
import type { Ports } from '../saga/ports/ports.ts';

/** Whether the store and the broker answer; if not, which setting to look at. */

/** How long the broker may take to say what exists. Its client would retry for a minute. */
const START_TIMEOUT_MS = 20_000;
/** How long each may take to answer at all. */
const READINESS_TIMEOUT_MS = 2_000;

/** Any answer will do, even that there is no such document. */
const askStore = ({ store }: Pick<Ports, 'store'>): Promise<unknown> => store.read([`${LEDGERS}/readiness`]);

export const storeAnswers = (ports: Ports): Promise<boolean> =>
  endsWithin(ports.clock, READINESS_TIMEOUT_MS, askStore(ports));

export const brokerAnswers = ({ bus, clock }: Ports, { topics }: Topology): Promise<boolean> =>
  endsWithin(clock, READINESS_TIMEOUT_MS, bus.missing(topics.slice(0, 1), []));

/**
 * Call this first: otherwise many retries pass before a missing store is noticed.
 * @throws Error that says where we looked for the store.
 */
export async function assertStoreAnswers(ports: Pick<Ports, 'store'>): Promise<void> {
  try {
    await askStore(ports);
  } catch (error) {
    const emulator = process.env.FIRESTORE_EMULATOR_HOST;
    const settings = emulator ? `FIRESTORE_EMULATOR_HOST (${emulator})` : 'PROJECT_ID and FIRESTORE_DATABASE';
    throw new Error(`${(error as Error).message}: is it running, and is what ${settings} says right?`);
  }
}

/** @throws Error that names what is missing, or says where we looked for the broker. */
export async function assertTopologyExists(
  { bus, clock }: Ports,
  { topics }: Topology,
  subscriptions: readonly string[],
): Promise<void> {
  const emulator = process.env.PUBSUB_EMULATOR_HOST;
  const question = emulator
    ? `is what PUBSUB_EMULATOR_HOST (${emulator}) says right?`
    : 'is PROJECT_ID right, and may this account use it (gcloud auth application-default login)?';
  const asked = bus.missing(topics, subscriptions);
  const answers = await endsWithin(clock, START_TIMEOUT_MS, asked).catch((error: Error) => {
    throw new Error(`Pub/Sub can not be asked what there is, ${error.message}: ${question}`);
  });
  if (!answers) throw new Error(`Pub/Sub did not answer within ${START_TIMEOUT_MS} ms: ${question}`);
  const missing = await asked;
  if (missing.length > 0) {
    throw new Error(
      `These topics and subscriptions of infra/topology.json do not exist: ${missing.join(', ')}.\n` +
        `Create them first: ${emulator ? 'npm run create-topology' : 'apply Terraform (infra/terraform/README.md)'}.`,
    );
  }
}
