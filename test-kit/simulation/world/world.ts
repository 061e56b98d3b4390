import { z } from 'zod';
import { createMemoryBus } from '../../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../../adapters/memory/memory-store.ts';
import { type Service, serviceNames, serviceOf } from '../../../saga/deliver/service.ts';
import { type Topology, topologyOf } from '../../../saga/deliver/topology.ts';
import { startWatchdog } from '../../../saga/deliver/watchdog.ts';
import { ledgerPath, SHARD_COUNT } from '../../../saga/ledger/ledger.ts';
import type { Bus, Delivery, OutgoingMessage } from '../../../saga/ports/bus.ts';
import type { Clock } from '../../../saga/ports/clock.ts';
import type { Ports } from '../../../saga/ports/ports.ts';
import type { GuardedWrite, Path, Store } from '../../../saga/ports/store.ts';
import type { Saga } from '../../../saga/step/saga.ts';
import { chanceOf } from '../chance.ts';
import { universalFaults, universalFaultsAtRest } from '../checks/universal-invariants.ts';
import { clockRange, OPERATORS, offsetMsOf } from '../clocks.ts';
import type { Plan } from '../plan.ts';
import type { AllDocuments, Commit, Data, Fields, Subject } from '../subject.ts';
import { FaultBook } from './fault-book.ts';
import type { People } from './people.ts';
import { SimulatedProcess } from './process.ts';
import { Rounds, sweepSecondsIn } from './rounds.ts';
import { type Owner, type Reach, Scheduler } from './scheduler.ts';

/** Makes a service for a process. A test of a guard makes one here that lacks it. */
export type MakeService = (subject: Subject, name: string, ports: Ports, plan: Plan) => Service;

/** The services as they are. */
export const realService: MakeService = ({ saga, settings }, name, ports, plan) =>
  serviceOf(saga, name, ports, {
    deadlineSeconds: plan.deadlineSeconds,
    sweepIntervalSeconds: sweepSecondsIn(plan),
    // By default those of an empty environment.
    declared: settings ?? z.object(saga.settings).parse({}),
  });

export interface WorldOptions {
  readonly makeService?: MakeService;
  /** Guards the processes for which a subscription may fall silent. A test of that guard gives one here that sleeps. */
  readonly startWatchdog?: typeof startWatchdog;
  /** How long an effect takes, in milliseconds; by default what the seed says. */
  readonly latencyMs?: (label: string) => number;
  /** Whether an effect and its answer are one event, so that nothing comes between them. */
  readonly answersAtOnce?: boolean;
  /** What is checked after every commit instead of everything. */
  readonly check?: (documents: AllDocuments, commit: Commit) => readonly string[];
  /** What is checked once nothing more happens instead of everything. */
  readonly checkRest?: (world: World, people: People) => readonly string[];
}

/** What no service can read. */
export const POISON = 'no JSON';

/** A uuid of its own for each number. */
export const uuidOf = (number: number): string =>
  `${number.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;

/** Someone who is always there: the broker, the customers, the people. */
const OTHERS: Owner = { name: 'others', alive: true, pausedUntilMs: 0 };

/** The documents before the first order. */
function documentsIn({ accounts }: Saga, data: Data): [Path, Fields][] {
  return Object.entries(data).flatMap(([collection, named]) =>
    Object.entries(named).map(([name, fields]): [Path, Fields] => {
      const path: Path = `${collection}/${name}`;
      const own = accounts.filter(({ balance, namesIn }) => balance in fields && namesIn(path) !== undefined);
      return [
        path,
        {
          ...Object.fromEntries(
            own.flatMap(({ balance, whole }) => (whole ? [[whole, fields[balance]]] : [])),
          ),
          ...fields,
        },
      ];
    }),
  );
}

/**
 * A saga in a world that a seed governs: its real services on the embedded store and broker. Nothing here takes
 * time or happens by itself; the program that drives the world picks from its scheduler what happens next.
 */
export class World {
  readonly subject: Subject;
  readonly plan: Plan;
  readonly topology: Topology;
  readonly scheduler = new Scheduler();
  readonly faults: FaultBook;
  readonly store: Store = createMemoryStore();
  readonly bus: Bus;
  readonly processes: readonly SimulatedProcess[];
  readonly rounds: Rounds;
  readonly startWatchdog: typeof startWatchdog;
  readonly answersAtOnce: boolean;
  readonly tearsReads: boolean;
  readonly documents = new Map<string, Fields>();
  /** Every message that a service was handed, once. */
  readonly handedOut = new Map<string, { readonly subscription: string; readonly delivery: Delivery }>();
  /** Every message that was published, by its topic. */
  readonly published: OutgoingMessage[] = [];
  /** How many messages wait at the broker because their reader is away, by subscription and order. */
  readonly #waiting = new Map<string, number>();
  readonly #arrived = new Set<string>();
  /** What was handed out and not settled, by subscription and message, and who has it. */
  readonly unsettled = new Map<string, string>();
  readonly trace: string[] = [];
  /** How often what people asked for, and what is noticed by itself, came to what. */
  readonly counts = new Map<string, number>();
  /** What is wrong, in sentences. A world in which something is ends. */
  readonly wrongs: string[] = [];
  /** Whether what happens now was seen in another world already: it is not checked again. */
  isSeen = false;
  commitCount = 0;
  /** How many unreadable messages must be on the desk in the end: each once for every service that reads its topic. */
  poisonCount = 0;
  readonly #names = new Map<string, string>();
  readonly #throws = new Map<string, number>();
  readonly #options: WorldOptions;
  #uuids = 0;
  readonly #programs: SimulatedProcess[] = [];

  /** Whether its documents were set back: then a message may say that an order was too late, of which they show an earlier moment. */
  wasSetBack = false;

  constructor(subject: Subject, plan: Plan, options: WorldOptions = {}) {
    const topology = topologyOf(subject.saga);
    this.subject = subject;
    this.topology = topology;
    this.plan = plan;
    this.#options = options;
    this.answersAtOnce = options.answersAtOnce ?? false;
    this.tearsReads = options.latencyMs === undefined;
    this.faults = new FaultBook(plan.faults);
    this.rounds = new Rounds(this);
    this.startWatchdog = options.startWatchdog ?? startWatchdog;
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
    this.processes = serviceNames(subject.saga).flatMap((name) =>
      Array.from(
        { length: plan.instances[name] ?? 0 },
        (_, index) => new SimulatedProcess(name, index, this),
      ),
    );
  }

  /** Loads what there is before the first order, and starts every process. */
  async begin(): Promise<void> {
    const documents = documentsIn(this.subject.saga, this.plan.data);
    await this.store.commit(documents.map(([path, fields]) => ({ kind: 'create', path, fields })));
    for (const [path, fields] of documents) this.documents.set(path, fields);
    for (const process of this.processes) process.start();
    this.rounds.begin();
  }

  /** Runs a program beside the services, such as a repair: its effects wait for their turn like theirs. */
  run(name: string, program: (ports: Ports) => Promise<void>): void {
    const process = new SimulatedProcess(name, this.#programs.length, this);
    this.#programs.push(process);
    void process.run(program);
  }

  /** Every process dies, and every program is broken off. */
  crashAll(): void {
    for (const process of this.processes) process.crash();
    for (const program of this.#programs) program.breakOff();
  }

  /** Lets everything that follows at once from what has just happened take place: all promises come first. */
  settle(): Promise<void> {
    return new Promise((resolve) => process.nextTick(resolve));
  }

  /** The clock of a process, as far off as the plan says. The time that it waits is right. */
  clockOf(owner: Owner): Clock {
    const right = this.scheduler.clockOf(owner);
    const isService = this.processes.some(({ name }) => name === owner.name);
    const name = isService ? owner.name : OPERATORS;
    const offsetMs = () => offsetMsOf(this.plan, name, this.scheduler.elapsedMs);
    return { ...right, now: () => new Date(right.now().getTime() + offsetMs()) };
  }

  makeService(name: string, ports: Ports): Service {
    return (this.#options.makeService ?? realService)(this.subject, name, ports, this.plan);
  }

  /** Notes that something is wrong. */
  fail(fault: string): void {
    this.wrongs.push(fault);
  }

  /** Counts what happened, for whoever wants to know that it does. */
  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
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
  readonly chance = (label: string): number => {
    const nth = (this.#throws.get(label) ?? 0) + 1;
    this.#throws.set(label, nth);
    return chanceOf(`${this.plan.seed}/${label}/${nth}`);
  };

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

  /** The services that read a topic, each as often as it has a subscription of it. */
  readersOf(topic: string): string[] {
    return Object.values(this.topology.subscriptions).flatMap((one) =>
      one.topic === topic && one.service !== undefined ? [one.service] : [],
    );
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
    // Before it has a ledger, the message is all there is of an order: to take it away is to take the order away.
    if (stolen && uuid !== undefined && this.documents.has(ledgerPath(uuid))) {
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
    const changes = paths.map((path) => {
      const [before, after] = [this.documents.get(path), found.get(path)?.fields];
      if (after === undefined) this.documents.delete(path);
      else this.documents.set(path, after);
      return { path, before, after };
    });
    if (this.isSeen) return;
    const { plan, scheduler } = this;
    const latestMs = this.wasSetBack
      ? Number.POSITIVE_INFINITY
      : scheduler.nowMs + clockRange(plan).fastestMs;
    for (const fault of this.#check(this.documents, { plan, changes, latestMs })) this.fail(fault);
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

  /** What the subject's own check says comes first: it knows more. */
  #check(documents: AllDocuments, commit: Commit): readonly string[] {
    const { subject } = this;
    if (this.#options.check) return this.#options.check(documents, commit);
    const own = subject.check?.(documents, commit) ?? [];
    return [...own, ...universalFaults(subject.saga, documents, commit)];
  }

  /** Checks the world at rest. */
  async rest(people: People): Promise<void> {
    for (const fault of await this.#checkRest(people)) this.fail(fault);
  }

  async #checkRest(people: People): Promise<readonly string[]> {
    const { subject } = this;
    if (this.#options.checkRest) return this.#options.checkRest(this, people);
    const own = (await subject.checkRest?.(this, people)) ?? [];
    return [...own, ...universalFaultsAtRest(subject.saga, this, people)];
  }

  /** A failure that is gone must have left a trace: without a ledger, nothing would fence the order that it overtook. */
  acked(subscription: string, delivery: Delivery): void {
    const uuid = uuidOfMessage(delivery);
    const { topic } = this.topology.subscriptions[subscription] ?? {};
    if (topic !== this.subject.saga.failure.topic || uuid === undefined || this.#options.check) return;
    if (!this.documents.has(ledgerPath(uuid)))
      this.fail(`the failure of ${uuid} was acked, but no ledger remembers it`);
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
