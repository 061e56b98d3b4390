import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline } from '../../pipeline.ts';
import type { Service } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import type { HttpResponse } from '../../saga/http/http.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Clock } from '../../saga/ports/clock.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { uuidOf } from '../support/builders.ts';

/**
 * The services in a play: nothing is delivered, swept or asked, and no moment passes, unless whoever directs says so. The
 * same code records what a release leaves behind and plays it to a later one, so it uses of the product what stays: the
 * ports, the services and their routes.
 */

/** A message that was published, under the id that the broker gave it. */
export interface PublishedMessage extends OutgoingMessage {
  readonly id: string;
}

/** A message on its way to one service. */
export interface Parcel {
  readonly message: PublishedMessage;
  readonly subscription: string;
}

/** Which subscriptions there are, by name: of which topic, and which service reads it; where none does, people do. */
export type Subscriptions = Readonly<Record<string, { readonly topic: string; readonly service?: string }>>;

/** Those of a saga, in the order of their names. */
export const subscriptionsOf = (saga: Saga): Subscriptions =>
  Object.fromEntries(
    Object.entries(topologyOf(saga).subscriptions)
      .map(
        ([name, { topic, service }]) => [name, { topic, ...(service !== undefined && { service }) }] as const,
      )
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );

/** Makes the services with the ports that the play gives them. */
export type Cast = (ports: Ports) => readonly Service[];

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what an API answers is what a test is about to find out.
  readonly body: any;
}

export interface Play {
  readonly store: Store;
  /** What the services were made with. */
  readonly ports: Ports;
  /** Everything that was published, in order. */
  readonly messages: readonly PublishedMessage[];
  now(): Date;
  /** Lets time pass. */
  moveOn(seconds: number): void;
  /** Publishes as a stranger would. */
  publish(message: OutgoingMessage): PublishedMessage;
  /** The subscriptions that its services read. */
  readonly subscriptions: readonly string[];
  /**
   * The ways that a message goes: one to each service that reads its topic, in the order of the subscriptions.
   * @param among those that there were when it was published; by default those that there are.
   */
  parcelsOf(message: PublishedMessage, among?: Subscriptions): readonly Parcel[];
  /**
   * Hands parcels to the service of their subscription, all of them as one batch.
   * @param attempt which delivery it is.
   * @returns what became of each.
   */
  deliver(parcels: readonly Parcel[], attempt?: number): Promise<readonly ('acked' | 'nacked')[]>;
  /** Asks a route, as HTTP does. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** Changes a document as people do, by hand. */
  amend(path: Path, fields: object): Promise<void>;
}

/**
 * @param staging `subscriptions`: those of the release whose services play. `firstId`: messages and uuids are numbered from
 * here; lower numbers were given elsewhere.
 */
export function openPlay(
  store: Store,
  start: Date,
  cast: Cast,
  {
    subscriptions = subscriptionsOf(pipeline),
    firstId = 1,
  }: { readonly subscriptions?: Subscriptions; readonly firstId?: number } = {},
): Play {
  let nowMs = start.getTime();
  let uuidCount = firstId - 1;
  let messageCount = firstId - 1;
  const messages: PublishedMessage[] = [];
  const clock: Clock = { ...systemClock, now: () => new Date(nowMs) };

  function publish(message: OutgoingMessage): PublishedMessage {
    const staged = { ...message, id: String(++messageCount) };
    messages.push(staged);
    return staged;
  }

  const bus: Bus = {
    async publish(outgoing) {
      outgoing.forEach(publish);
      return outgoing.map(() => undefined);
    },
    subscribe: () => ({ close: async () => {} }),
    missing: async () => [],
    close: async () => {},
  };
  const ports: Ports = {
    store,
    bus,
    clock,
    random: () => 0.5,
    newUuid: () => uuidOf(++uuidCount),
    log: () => {},
  };
  const services = cast(ports);
  const readers = services
    .flatMap(({ name, consumers }) =>
      consumers.map((consumer) => ({
        ...consumer,
        subscription: nameOf(subscriptions, name, consumer.topic),
      })),
    )
    .sort((one, other) => (one.subscription < other.subscription ? -1 : 1));

  return {
    store,
    ports,
    messages,
    now: clock.now,
    moveOn(seconds) {
      nowMs += 1000 * seconds;
    },
    publish,
    subscriptions: readers.map(({ subscription }) => subscription),
    parcelsOf: (message, among = subscriptions) =>
      readers
        .filter(({ topic, subscription }) => topic === message.topic && subscription in among)
        .map(({ subscription }) => ({ message, subscription })),
    async deliver(parcels, attempt = 1) {
      const { process } = readers.find((one) => one.subscription === parcels[0]?.subscription) ?? {};
      if (process === undefined) throw new Error(`Nobody reads ${parcels[0]?.subscription}`);
      const settled = parcels.map((): 'acked' | 'nacked' => 'nacked');
      const deliveries = parcels.map(
        ({ message, subscription }, index): Delivery => ({
          subscription,
          messageId: message.id,
          data: Buffer.from(message.data),
          attributes: message.attributes,
          publishTime: clock.now(),
          attempt,
          ack: () => {
            settled[index] = 'acked';
          },
          nack: () => {},
        }),
      );
      await process(deliveries);
      return settled;
    },
    ask: (method, path, body, headers = {}) => ask(services, method, path, body, headers),
    async amend(path, fields) {
      const version = (await store.read([path])).get(path)?.version;
      if (version === undefined) throw new Error(`There is no ${path}`);
      await store.commit([{ kind: 'update', path, fields, version }]);
    },
  };
}

/** Under which name a service reads a topic. */
function nameOf(subscriptions: Subscriptions, service: string, topic: string): string {
  for (const [name, one] of Object.entries(subscriptions)) {
    if (one.service === service && one.topic === topic) return name;
  }
  throw new Error(`${service} reads the topic ${topic}, but no subscription says so`);
}

/** Finds the route, lets its schemas read the input, and answers as JSON does. */
async function ask(
  services: readonly Service[],
  method: string,
  target: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { pathname, searchParams } = new URL(target, 'http://play');
  // As the gate in front of a service makes of it.
  const operator = headers['saga-operator'];
  for (const route of services.flatMap((service) => service.routes())) {
    const pattern = new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    const match = route.method === method ? pattern.exec(pathname) : null;
    if (match === null) continue;
    const answer = await route
      .handle({
        params: { ...match.groups },
        query: route.query?.parse(Object.fromEntries(searchParams)),
        body: route.body?.parse(body),
        header: (name) => headers[name],
        ...(operator !== undefined && { caller: { kind: 'operator', name: operator } }),
      })
      .catch(problemAnswer);
    return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body)) };
  }
  throw new Error(`No route for ${method} ${target}`);
}

/** A refusal of a route is an answer, too. By its shape, because the code of another release may have thrown it. */
function problemAnswer(error: unknown): HttpResponse {
  const { status, detail } = error as { status?: number; detail?: string };
  if (status === undefined) throw error;
  return { status, body: { detail } };
}
