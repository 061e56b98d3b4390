import { z } from 'zod';

/**
 * The topology: which topics and subscriptions there are, how they redeliver, and who reads which. It is declared
 * once, in `infra/topology.json`; everything that needs a topic or a subscription asks here.
 */

export interface SubscriptionSettings {
  readonly topic: string;
  /** The service that reads it; absent where people do. */
  readonly service?: string;
  readonly ackDeadlineSeconds: number;
  /**
   * The same where messages are pushed: how long one request may take. Nobody prolongs it, and an instance may have to
   * start first. Absent where people read: nobody pushes to them.
   */
  readonly pushDeadlineSeconds?: number;
  readonly retentionDays: number;
  readonly retry: { readonly minBackoffSeconds: number; readonly maxBackoffSeconds: number };
  readonly deadLetter?: { readonly topic: string; readonly maxDeliveryAttempts: number };
}

export interface Topology {
  readonly topics: readonly string[];
  readonly subscriptions: Readonly<Record<string, SubscriptionSettings>>;
}

/** The bounds are Pub/Sub's own: https://cloud.google.com/pubsub/docs/subscription-properties */
const policySchema = z.strictObject({
  ackDeadlineSeconds: z.int().min(10).max(600),
  pushDeadlineSeconds: z.int().min(10).max(600).exactOptional(),
  retentionDays: z.int().min(1).max(31),
  retry: z.strictObject({
    minBackoffSeconds: z.number().min(0).max(600),
    maxBackoffSeconds: z.number().min(0).max(600),
  }),
  deadLetter: z
    .strictObject({ topic: z.string(), maxDeliveryAttempts: z.int().min(5).max(100) })
    .exactOptional(),
});

const topologySchema = z.strictObject({
  topics: z.record(z.string(), z.string()),
  /** The topics from which a restore of the database is made good: they keep their messages, which Terraform sees to. */
  keptForRestore: z.array(z.string()),
  policies: z.record(z.string(), policySchema),
  subscriptions: z.record(
    z.string(),
    z.strictObject({ topic: z.string(), policy: z.string(), service: z.string().exactOptional() }),
  ),
});

/**
 * Reads the declaration.
 * @throws Error that names every fault: a wrong shape, a topic or a policy that is not declared.
 */
export function parseTopology(declaration: unknown): Topology {
  const parsed = topologySchema.safeParse(declaration);
  if (!parsed.success) {
    throw topologyError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  const { topics, keptForRestore, policies, subscriptions } = parsed.data;
  const faults = [
    ...keptForRestore
      .filter((topic) => !Object.hasOwn(topics, topic))
      .map((topic) => `keptForRestore: topic ${topic} is not declared`),
    ...Object.entries(policies).flatMap(([name, { deadLetter }]) =>
      deadLetter && !Object.hasOwn(topics, deadLetter.topic)
        ? [`policies.${name}: topic ${deadLetter.topic} is not declared`]
        : [],
    ),
    ...Object.entries(subscriptions).flatMap(([name, { topic, policy }]) => [
      ...(Object.hasOwn(topics, topic) ? [] : [`subscriptions.${name}: topic ${topic} is not declared`]),
      ...(Object.hasOwn(policies, policy) ? [] : [`subscriptions.${name}: policy ${policy} is not declared`]),
    ]),
    ...doubleReaders(subscriptions),
  ];
  if (faults.length > 0) throw topologyError(faults);
  const settings = Object.entries(subscriptions).map(([name, { policy, ...subscription }]) => [
    name,
    { ...subscription, ...(policies[policy] as z.infer<typeof policySchema>) },
  ]);
  return { topics: Object.keys(topics), subscriptions: Object.fromEntries(settings) };
}

/** A service that reads a topic by two subscriptions would get every message twice. */
function doubleReaders(
  subscriptions: Readonly<Record<string, { topic: string; service?: string }>>,
): string[] {
  const readers = new Map<string, string>();
  return Object.entries(subscriptions).flatMap(([name, { topic, service }]) => {
    if (service === undefined) return [];
    const reader = `${service} reads ${topic}`;
    const other = readers.get(reader);
    readers.set(reader, name);
    return other === undefined ? [] : [`subscriptions.${name}: ${reader} by ${other} already`];
  });
}

/**
 * The subscription by which a service reads a topic.
 * @throws Error where the topology declares none.
 */
export function subscriptionOf(topology: Topology, service: string, topic: string): string {
  for (const [name, settings] of Object.entries(topology.subscriptions)) {
    if (settings.service === service && settings.topic === topic) return name;
  }
  throw topologyError([`${service} reads the topic ${topic}, but no subscription says so`]);
}

function topologyError(faults: readonly string[]): Error {
  return new Error(`infra/topology.json is wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
}
