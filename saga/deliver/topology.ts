import { oncePerSaga } from '../step/once-per-saga.ts';
import { announcementsOf, DEAD_LETTER_TOPIC, PEOPLE, type Saga, subscriptionsOf } from '../step/saga.ts';
import { stepsHeardBy, takesOrdersIn, topicsReadBy } from './service.ts';

/**
 * The topology: which topics and subscriptions there are, how they redeliver, and who reads and publishes which. It follows
 * from the saga. `infra/topology.json` is a generated copy for everything that is not TypeScript.
 */

export interface SubscriptionSettings {
  readonly topic: string;
  /** The service that reads it; absent if people do. */
  readonly service?: string;
  readonly ackDeadlineSeconds: number;
  /**
   * The same for pushed messages: how long one request may take. It can't be extended, and an instance may have to start
   * first. Absent if people read it: nothing is pushed to them.
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

/** How subscriptions redeliver, by who reads them. The bounds are Pub/Sub's: at most 31 days, at most 100 attempts. */
const POLICIES = {
  service: {
    ackDeadlineSeconds: 10,
    pushDeadlineSeconds: 60,
    retentionDays: 7,
    retry: { minBackoffSeconds: 1, maxBackoffSeconds: 60 },
    deadLetter: { topic: DEAD_LETTER_TOPIC, maxDeliveryAttempts: 100 },
  },
  // What fails at the desk itself has nowhere else to go.
  desk: {
    ackDeadlineSeconds: 10,
    pushDeadlineSeconds: 60,
    retentionDays: 31,
    retry: { minBackoffSeconds: 1, maxBackoffSeconds: 60 },
  },
  people: {
    ackDeadlineSeconds: 10,
    retentionDays: 7,
    retry: { minBackoffSeconds: 1, maxBackoffSeconds: 60 },
  },
} as const;

/** The topology of a saga in the form that is written down. */
export function declareTopology(saga: Saga) {
  const { entry, resumption, pause, workflow, failure, end, steps, services } = saga;
  const words = wordTopics(saga);
  const announcements = [
    entry,
    ...steps.flatMap(announcementsOf),
    ...(resumption ? [resumption] : []),
    ...(pause ? [pause] : []),
    ...(workflow ? [workflow] : []),
    ...words,
    failure,
    end,
  ];
  const readers = new Map<string, string[]>();
  const reads = (topic: string, service: string) =>
    readers.set(topic, [...(readers.get(topic) ?? []), service]);
  for (const step of steps) {
    for (const topic of topicsReadBy(saga, step)) reads(topic, step.name);
    if (step.waits?.listensTo) reads(step.waits.listensTo.topic, step.name);
  }
  const readBySteps = new Set(readers.keys());
  for (const service of services) for (const topic of service.reads(saga)) reads(topic, service.name);
  const topics: Readonly<Record<string, string>> = {
    ...Object.fromEntries(announcements.map(({ topic, says }) => [topic, says])),
    [DEAD_LETTER_TOPIC]: 'a message could not be processed',
  };
  const subscriptions = Object.keys(topics).flatMap((topic) => {
    // An order does not go on by any other topic, so people watch it, too.
    const isWay = readBySteps.has(topic) || topic === workflow?.topic;
    const isForPeople = saga.subscriptions[`${topic}-sub`] === PEOPLE || !isWay;
    return [...(readers.get(topic) ?? []), ...(isForPeople ? [PEOPLE] : [])].map((reader) => {
      const isService = reader !== PEOPLE;
      return [
        subscriptionName(saga, topic, reader),
        {
          topic,
          policy: !isService ? 'people' : topic === DEAD_LETTER_TOPIC ? 'desk' : 'service',
          ...(isService && { service: reader }),
        },
      ] as const;
    });
  });
  return {
    topics,
    // On these, messages say what became of an order. On the others, other things are said.
    announcing: announcements
      .filter((one) => !words.some(({ topic }) => topic === one.topic))
      .map(({ topic }) => topic),
    // Terraform makes these keep their messages, so that they can be replayed after the database was restored.
    keptForRestore: [entry.topic, failure.topic],
    policies: POLICIES,
    subscriptions: Object.fromEntries(subscriptions),
  };
}

/**
 * The topics on which a service publishes. A step announces its status, its refusals and the orders that it takes in, and
 * hands what it can't read to the desk.
 */
export function publishedBy(saga: Saga, name: string): readonly string[] {
  const step = saga.steps.find((one) => one.name === name);
  const hears = stepsHeardBy(saga, name).length > 0;
  const resumes = hears && saga.resumption ? [saga.resumption.topic] : [];
  const beside = saga.services.find((one) => one.name === name);
  // Whoever takes orders in, cancels them or hears words for them may leave an orchestrated one standing.
  const [firstSteps = []] = saga.groups;
  const isFirst = firstSteps.some((one) => one.name === name);
  const leaves = hears || isFirst || (beside && takesOrdersIn(saga, beside));
  const workflow = leaves && saga.workflow ? [saga.workflow.topic] : [];
  if (step !== undefined) {
    const takesIn = !isFirst && topicsReadBy(saga, step).includes(saga.entry.topic);
    const announced = announcementsOf(step).map(({ topic }) => topic);
    return [
      ...(takesIn ? [saga.entry.topic] : []),
      ...announced,
      ...resumes,
      ...workflow,
      saga.failure.topic,
      DEAD_LETTER_TOPIC,
    ];
  }
  return [...(beside?.publishes(saga) ?? []), ...resumes, ...workflow];
}

/** The topics by which words come, each with what a message on it says. */
export const wordTopics = (saga: Saga) => saga.steps.flatMap(({ waits }) => waits?.listensTo ?? []);

/** A subscription never changes its reader: a new reader of a topic gets one of its own. */
function subscriptionName(saga: Saga, topic: string, reader: string): string {
  const [first, own] = subscriptionsOf(topic, reader);
  const owner = saga.subscriptions[first];
  if (owner === reader) return first;
  if (reader !== PEOPLE) return own;
  return owner === undefined ? first : `${topic}-cli-sub`;
}

/** The topics and subscriptions of a saga. */
export const topologyOf = oncePerSaga((saga: Saga): Topology => {
  const { topics, policies, subscriptions } = declareTopology(saga);
  return {
    topics: Object.keys(topics),
    subscriptions: Object.fromEntries(
      Object.entries(subscriptions).map(([name, { policy, ...subscription }]) => [
        name,
        { ...subscription, ...policies[policy] },
      ]),
    ),
  };
});

/** The services that read messages, in the order of their topics. */
export const readersOf = ({ subscriptions }: Topology): readonly string[] => [
  ...new Set(Object.values(subscriptions).flatMap(({ service }) => service ?? [])),
];

/**
 * The subscription by which a service reads a topic.
 * @throws Error if there is none.
 */
export function subscriptionOf(topology: Topology, service: string, topic: string): string {
  for (const [name, settings] of Object.entries(topology.subscriptions)) {
    if (settings.service === service && settings.topic === topic) return name;
  }
  throw new Error(`${service} reads the topic ${topic}, but no subscription says so`);
}

/** A subscription of this topic: that of a service, if one reads it. @throws Error if there is none. */
export function subscriptionFor({ subscriptions }: Topology, topic: string): string {
  const found = Object.entries(subscriptions).filter(([, one]) => one.topic === topic);
  const [name] = found.find(([, { service }]) => service !== undefined) ?? found[0] ?? [];
  if (name === undefined) throw new Error(`The topic ${topic} has no subscription`);
  return name;
}
