import { PubSub } from '@google-cloud/pubsub';
import type { SubscriptionSettings, Topology } from '../../saga/deliver/topology.ts';
import { emulatorOptions } from './emulator-options.ts';

const ALREADY_EXISTS = 6;
const SECONDS_PER_DAY = 24 * 60 * 60;
/** Google keeps messages for up to 31 days, the emulator refuses more than a week. */
const EMULATOR_RETENTION_DAYS_MAX = 7;

/**
 * Creates the topics and subscriptions of a topology on the emulator; on Google, Terraform does it. What exists already
 * stays as it is, so it may run again.
 */
export async function createTopology(projectId: string, topology: Topology): Promise<void> {
  const pubsub = new PubSub({ projectId, ...emulatorOptions(process.env.PUBSUB_EMULATOR_HOST) });
  await Promise.all(topology.topics.map((topic) => pubsub.createTopic(topic).catch(unlessThere)));
  await Promise.all(
    Object.entries(topology.subscriptions).map(([name, settings]) =>
      pubsub
        .topic(settings.topic)
        .createSubscription(name, optionsOf(projectId, settings))
        .catch(unlessThere),
    ),
  );
  await pubsub.close();
}

function optionsOf(
  projectId: string,
  { ackDeadlineSeconds, retentionDays, deadLetter }: SubscriptionSettings,
) {
  return {
    ackDeadlineSeconds,
    messageRetentionDuration: {
      seconds: Math.min(retentionDays, EMULATOR_RETENTION_DAYS_MAX) * SECONDS_PER_DAY,
    },
    // Without this, a subscription that is not read for 31 days is deleted.
    expirationPolicy: {},
    // No retry policy: with one, the emulator loses messages when a reader dies. The bus itself makes the pauses
    // (docs/decisions/0007-retry-on-the-emulator.md).
    ...(deadLetter && {
      deadLetterPolicy: {
        deadLetterTopic: `projects/${projectId}/topics/${deadLetter.topic}`,
        maxDeliveryAttempts: deadLetter.maxDeliveryAttempts,
      },
    }),
  };
}

function unlessThere(error: { code?: number }): void {
  if (error.code !== ALREADY_EXISTS) throw error;
}
