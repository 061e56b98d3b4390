import { setImmediate as nextTurn } from 'node:timers/promises';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline } from '../../pipeline.ts';
import { type Service, serviceOf } from '../../saga/deliver/service.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { SHARD_COUNT } from '../../saga/ledger/ledger.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { GuardedWrite, Path, Store } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { SETTINGS, uuidOf } from '../support/builders.ts';
import { chanceOf } from './chance.ts';
import { FaultBook } from './fault-book.ts';
import {
  type AcceptedOrder,
  type AllDocuments,
  endFaults,
  type Fields,
  holdingFaults,
  moneyFaults,
  recordFaults,
  silenceFaults,
  stockFaults,
  transitionFaults,
} from './invariants.ts';
import { type Plan, SERVICE_NAMES } from './plan.ts';
import { SimulatedProcess } from './process.ts';
import { type Owner, type Reach, Scheduler } from './scheduler.ts';

const topology = topologyOf(pipeline);

/** Makes a service for a process. A test of a guard makes one here that lacks it. */
export type MakeService = (name: string, ports: Ports, plan: Plan) => Service;

/** The services of a saga. */
export const servicesOf =
  (saga: Saga): MakeService =>
  (name, ports, { deadlineSeconds }) =>
    serviceOf(saga, name, ports, { ...SETTINGS, deadlineSeconds });

/** The services as they are. */
export const realService: MakeService = servicesOf(pipeline);

export interface WorldOptions {
  readonly makeService?: MakeService;
  /** How long an effect takes, in milliseconds; by default what the seed says. */
  readonly latencyMs?: (label: string) => number;
  /** Whether an effect and its answer are one event, so that nothing comes between them. */
  readonly answersAtOnce?: boolean;
  /** What is checked after every commit; by default everything. */
  readonly check?: (documents: AllDocuments, plan: Plan) => string[];
  /** What is checked once nothing more happens; by default everything. */
  readonly checkRest?: (world: World, people: Deeds) => string[];
}

/** What people have been promised. */
export interface Deeds {
  /** The orders that were accepted: from here on, each must come to an end. */
  readonly accepted: readonly AcceptedOrder[];
  /** The uuids of the orders whose cancellation was accepted: each must end as canceled. */
  readonly canceled: ReadonlySet<string>;
}

/** What nobody can read. */
export const POISON = 'no JSON';

/** Someone who is always there: the broker, the customers, the people. */
const OTHERS: Owner = { name: 'others', alive: true, pausedUntilMs: 0 };

/** All that holds at every moment, whatever is under way. */
export const checkAlways = (documents: AllDocuments, plan: Plan): string[] => [
  ...stockFaults(documents, plan),
  ...moneyFaults(documents, plan),
  ...recordFaults(documents),
];

/** What was published, as `{uuid}/{topic}`. */
const announcements = ({ published }: World): Set<string> =>
  new Set(published.map(({ topic, attributes }) => `${attributes['ce-subject']}/${topic}`));

/** The uuids of the orders whose cancellation everybody was told. */
export const announcedAsCanceled = ({ published }: World): Set<string> =>
  new Set(
    published.flatMap(({ topic, attributes }) =>
      topic === 'order-canceled' ? [attributes['ce-subject'] ?? ''] : [],
    ),
  );

/** All that holds once nothing more happens. */
export function checkAtRest(world: World, { accepted, canceled }: Deeds): string[] {
  const { documents, poisonCount } = world;
  const announced = announcedAsCanceled(world);
  const letters = [...documents].filter(
    ([path, { body }]) => path.startsWith('dead-letters/') && body === POISON,
  );
  return [
    ...endFaults(documents, accepted),
    ...holdingFaults(documents, accepted, announced),
    // After a crash, the message that is taken away may be the one from which the end would have been announced.
    ...(world.plan.faults.some(({ kind }) => kind === 'stolen')
      ? []
      : silenceFaults(documents, announcements(world))),
    ...(letters.length === poisonCount
      ? []
      : [`${poisonCount} unreadable messages were published, ${letters.length} are on the desk`]),
    ...[...canceled].flatMap((uuid) => {
      const status = documents.get(`sagas/${uuid}`)?.status;
      return status === 'CANCELED' ? [] : [`the cancellation of ${uuid} was accepted, but it is ${status}`];
    }),
  ];
}

/**
 * The pipeline in a world that a seed governs: the real services on the embedded store and broker. Nothing here takes
 * time or happens by itself; whoever drives the world picks from its scheduler what happens next.
 */
export class World {
  readonly plan: Plan;
  readonly topology = topology;
  readonly scheduler = new Scheduler();
  readonly faults: FaultBook;
  readonly store: Store = createMemoryStore();
  readonly bus: Bus;
  readonly processes: readonly SimulatedProcess[];
  readonly answersAtOnce: boolean;
  readonly tearsReads: boolean;
  readonly documents = new Map<string, Fields>();
  /** Every message that a service was handed, once. */
  readonly handedOut = new Map<string, { readonly subscription: string; readonly delivery: Delivery }>();
  /** Every message that was published, by its topic. */
  readonly published: OutgoingMessage[] = [];
  /** How many messages wait at the broker because nobody is there to read them, by subscription and order. */
  readonly #waiting = new Map<string, number>();
  readonly #arrived = new Set<string>();
  /** What was handed out and not settled, by subscription and message, and who has it. */
  readonly unsettled = new Map<string, string>();
  readonly trace: string[] = [];
  /** What is wrong, in sentences. A world in which something is ends. */
  readonly wrongs: string[] = [];
  commitCount = 0;
  /** How many messages were published that nobody can read. */
  poisonCount = 0;
  readonly #names = new Map<string, string>();
  readonly #throws = new Map<string, number>();
  readonly #options: WorldOptions;
  #uuids = 0;

  constructor(plan: Plan, options: WorldOptions = {}) {
    this.plan = plan;
    this.#options = options;
    this.answersAtOnce = options.answersAtOnce ?? false;
    this.tearsReads = options.latencyMs === undefined;
    this.faults = new FaultBook(plan.faults);
    const bus = createMemoryBus(topology, this.scheduler.clockOf(OTHERS));
    this.bus = {
      ...bus,
      publish: (messages) => {
        this.published.push(...messages);
        for (const message of messages) {
          for (const [name, { topic, service }] of Object.entries(topology.subscriptions)) {
            if (topic === message.topic && service) this.#countWaiting(name, message, 1);
          }
        }
        return bus.publish(messages);
      },
    };
    this.processes = SERVICE_NAMES.flatMap((name) =>
      Array.from(
        { length: plan.instances[name] ?? 0 },
        (_, index) => new SimulatedProcess(name, index, this),
      ),
    );
  }

  /** Loads users and stock, and starts every process. */
  async begin(): Promise<void> {
    const { items, users } = this.plan;
    const documents = [
      ...Object.entries(items).map(
        ([item, fields]) => [`inventory/${item}`, { ...fields, loaded: fields.quantity }] as const,
      ),
      ...Object.entries(users).map(([user, { credit }]) => {
        const limit = credit === undefined ? {} : { credit, credit_limit: credit };
        return [`users/${user}`, { address: 'here', ...limit }] as const;
      }),
    ];
    await this.store.commit(documents.map(([path, fields]) => ({ kind: 'create', path, fields })));
    for (const [path, fields] of documents) this.documents.set(path, fields);
    for (const process of this.processes) process.start();
  }

  /** Lets everything that follows at once from what has just happened take place. */
  settle(): Promise<void> {
    return nextTurn();
  }

  makeService(name: string, ports: Ports): Service {
    return (this.#options.makeService ?? realService)(name, ports, this.plan);
  }

  /** Notes that something is wrong. */
  fail(fault: string): void {
    this.wrongs.push(fault);
  }

  /** Writes a line of the trace. */
  note(text: string): void {
    this.trace.push(`${(this.scheduler.elapsedMs / 1000).toFixed(3).padStart(9)} s  ${text}`);
  }

  /** Something that others than the services do, at its time. */
  later(label: string, delayMs: number, run: () => void | Promise<void>, reach: Reach = 'shared'): void {
    this.scheduler.add(OTHERS, label, delayMs, run, { reach });
  }

  /** Dice for what happens while the world runs. What they show depends on the label and on nothing else that happens. */
  chance(label: string): number {
    const nth = (this.#throws.get(label) ?? 0) + 1;
    this.#throws.set(label, nth);
    return chanceOf(`${this.plan.seed}/${label}/${nth}`);
  }

  /** Mostly a few milliseconds, at times so long that deadlines of messages pass. */
  latencyMs(label: string): number {
    if (this.#options.latencyMs) return this.#options.latencyMs(label);
    const [howLong, exactly] = [this.chance(label), this.chance(`${label} exactly`)];
    return Math.ceil(exactly * (howLong < 0.9 ? 20 : howLong < 0.98 ? 500 : 15_000));
  }

  newUuid(): string {
    const uuid = uuidOf(0x100 + ++this.#uuids);
    this.call(uuid, `p${this.#uuids}`);
    return uuid;
  }

  /** Gives a uuid a short name for the trace. */
  call(uuid: string, name: string): void {
    this.#names.set(uuid, name);
  }

  /** Whether an order that is known can have its ledger there: where none can, nothing is ever due. */
  isShardInUse(shard: unknown): boolean {
    return [...this.#names.keys()].some(
      (uuid) => Number.parseInt(uuid.slice(0, 8), 16) % SHARD_COUNT === shard,
    );
  }

  /** A path, with the short names of orders. */
  readonly named = (path: Path): string =>
    path
      .split('/')
      .map((part) => this.#names.get(part) ?? part)
      .join('/');

  readonly nameOfMessage = (
    message: Pick<OutgoingMessage, 'data' | 'attributes'> & { topic?: string },
  ): string => {
    const name = this.named(uuidOfMessage(message) ?? 'an order without a uuid');
    return message.topic === undefined ? name : `${message.topic} of ${name}`;
  };

  /** Whether the store or the broker is away just now. */
  isAway(kind: 'store away' | 'bus away'): boolean {
    return this.awayForMs(kind) > 0;
  }

  awayForMs(kind: 'store away' | 'bus away'): number {
    const ends = this.plan.faults.flatMap((fault) =>
      fault.kind === kind && fault.atMs <= this.scheduler.elapsedMs
        ? [fault.atMs + 1000 * fault.seconds]
        : [],
    );
    return Math.max(0, ...ends.map((endMs) => endMs - this.scheduler.elapsedMs));
  }

  /** A message on its way from the broker to a process: late, twice or stolen as the plan says. */
  handOut(
    owner: Owner,
    subscription: string,
    delivery: Delivery,
    receive: (delivery: Delivery) => void,
  ): void {
    const label = `${subscription} hands ${this.nameOfMessage(delivery)} to ${owner.name}`;
    const id = `${subscription}/${delivery.messageId}`;
    if (!this.#arrived.has(id)) this.#countWaiting(subscription, delivery, -1);
    this.#arrived.add(id);
    const late = this.faults.next('late', subscription);
    const duplicate = this.faults.next('duplicate', subscription);
    const stolen = this.faults.next('stolen', subscription);
    const uuid = uuidOfMessage(delivery);
    // Before it has a ledger, the message is all there is of an order: whoever takes it away takes the order away.
    if (stolen && uuid !== undefined && this.documents.has(`sagas/${uuid}`)) {
      this.note(`a person takes ${this.nameOfMessage(delivery)} away from ${subscription}`);
      delivery.ack();
      return;
    }
    const give = () => {
      const awayMs = this.awayForMs('bus away');
      if (awayMs > 0) {
        this.scheduler.add(owner, label, awayMs, give);
        return;
      }
      this.note(label);
      this.handedOut.set(id, { subscription, delivery });
      this.unsettled.set(id, label);
      receive(delivery);
    };
    this.scheduler.add(owner, label, this.latencyMs(label) + 1000 * (late?.seconds ?? 0), give);
    if (duplicate)
      this.scheduler.add(owner, `${label} again`, this.latencyMs(label) + 1000 * duplicate.seconds, give);
  }

  /** Commits, and checks at once what must always hold. */
  async commit(writes: readonly GuardedWrite[]): Promise<void> {
    await this.store.commit(writes);
    this.commitCount++;
    const paths = writes.map(({ path }) => path);
    const found = await this.store.read(paths);
    for (const path of paths) {
      const [before, after] = [this.documents.get(path), found.get(path)?.fields];
      if (after === undefined) this.documents.delete(path);
      else this.documents.set(path, after);
      if (path.startsWith('sagas/'))
        for (const fault of transitionFaults(path, before, after)) this.fail(fault);
    }
    for (const fault of (this.#options.check ?? checkAlways)(this.documents, this.plan)) this.fail(fault);
  }

  /** What waits at the broker, as text. */
  get waiting(): string[] {
    return [...this.#waiting].flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`])).sort();
  }

  #countWaiting(
    subscription: string,
    message: Pick<OutgoingMessage, 'data' | 'attributes'>,
    more: number,
  ): void {
    const name = `${subscription} ${this.named(uuidOfMessage(message) ?? '')}`;
    this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + more);
  }

  /** The broker was told what became of a delivery. */
  settled(subscription: string, { messageId }: Delivery): void {
    this.unsettled.delete(`${subscription}/${messageId}`);
  }

  /** Checks the world at rest. The product's own audit must come to the same as the checker. */
  async rest(people: Deeds): Promise<void> {
    const { checkRest } = this.#options;
    for (const fault of (checkRest ?? checkAtRest)(this, people)) this.fail(fault);
    if (checkRest) return;
    const { violations, stuck } = await takeAudit(pipeline, {
      store: this.store,
      clock: this.scheduler.clockOf(OTHERS),
    });
    for (const found of [...violations, ...stuck]) this.fail(`the audit found ${JSON.stringify(found)}`);
  }

  /** An `error` that is gone must have left a trace: without a ledger, nothing would fence the order that it overtook. */
  acked(subscription: string, delivery: Delivery): void {
    const uuid = uuidOfMessage(delivery);
    if (subscription !== 'error-sub' || uuid === undefined || this.#options.check) return;
    if (!this.documents.has(`sagas/${uuid}`))
      this.fail(`the error of ${uuid} was acked, but no ledger remembers it`);
  }

  /**
   * A log line. Of errors, only those that the plan brought about may be in it: a surprise is a fault of the product.
   * @param mayContradict the process read documents from two moments. What it decides upon them may throw where they
   * contradict each other: the message then comes again.
   */
  heard(
    process: string,
    text: string,
    { error }: Readonly<Record<string, unknown>> = {},
    mayContradict = false,
  ): void {
    if (error === undefined || /simulated|is not what was read/.test(String(error))) return;
    if (mayContradict && /exists although the ledger says/.test(String(error))) return;
    this.fail(`${process} logged "${text}": ${error}`);
  }
}

function uuidOfMessage({
  data,
  attributes,
}: Pick<OutgoingMessage, 'data' | 'attributes'>): string | undefined {
  const text = data.toString();
  return attributes['ce-subject'] ?? (text === POISON ? undefined : JSON.parse(text).uuid);
}
