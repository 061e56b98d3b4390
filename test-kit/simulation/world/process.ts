import { inboxesOf } from '../../../saga/deliver/inbox.ts';
import type { Service } from '../../../saga/deliver/service.ts';
import type { HttpResponse, Route } from '../../../saga/http/http.ts';
import type { Bus, Delivery, OpenSubscription, OutgoingMessage } from '../../../saga/ports/bus.ts';
import type { Ports } from '../../../saga/ports/ports.ts';
import { type Path, type Store, StoreError, type Versioned } from '../../../saga/ports/store.ts';
import type { Owner, Reach } from './scheduler.ts';
import type { World } from './world.ts';

/** A process from its start to its crash. */
interface Life extends Owner {
  /** Absent while it is made, and where the process is no service. */
  service?: Service;
  /** What it answers, once it was asked. */
  routes?: readonly Route[];
  readonly subscriptions: Map<string, OpenSubscription>;
  /** The first of them that is dead at the other end, and looks like one without messages. */
  silent?: string;
  readonly startedMs: number;
  /** When each of them last delivered something. */
  readonly deliveredMs: Map<string, number>;
  readonly readers: Map<string, (delivery: Delivery) => void>;
  stopWatchdog?: () => void;
  /** What it has learned since it last had nothing to do: all that its next effects can depend on. */
  memory: Memory[];
  /** How many deliveries it holds, and requests it has not answered. */
  busyWith: number;
  /** Whether, since it last had nothing to do, one read gave it documents from two moments. */
  hasTornRead: boolean;
  /** How many effects may take place before it dies, where it is a program that people may break off. */
  effectsLeft: number;
}

/** Something that a process learned: a text, or documents as it read them. */
export type Memory =
  | string
  | { readonly paths: readonly Path[]; readonly found: ReadonlyMap<Path, Versioned> };

/** A request, besides where it goes. */
export interface Asked {
  readonly method?: Route['method'];
  readonly body?: unknown;
  readonly query?: unknown;
  /** Its idempotency key. */
  readonly key?: string | undefined;
}

/** How long it takes until a process that died is there again. */
const RESTART_MS = 2_000;
/** A program that is broken off dies within so many effects. */
const EFFECTS_BEFORE_BREAK_MAX = 12;

/**
 * One process of one service. Every effect of it waits in the scheduler until it may happen, and its answer waits
 * again; a crash drops all of them, and the next life begins with nothing but what is in the store and on the bus.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly serviceName: string;
  readonly #world: World;
  #life: Life | undefined;

  constructor(serviceName: string, index: number, world: World) {
    this.name = `${serviceName}#${index}`;
    this.serviceName = serviceName;
    this.#world = world;
  }

  get isAlive(): boolean {
    return this.#life !== undefined;
  }

  get memory(): readonly Memory[] {
    return this.#life?.memory ?? [];
  }

  start(): void {
    const world = this.#world;
    const life = this.#begin();
    const ports = this.#portsOf(life);
    const service = world.makeService(this.serviceName, ports);
    life.service = service;
    const inboxes = inboxesOf(service, world.topology);
    for (const { subscription, inbox } of inboxes) {
      inbox.pull(ports.bus, subscription, (error) =>
        world.fail(`${this.name} can't read ${subscription}: ${error.message}`),
      );
    }
    if (world.rounds.isPatrolled) service.start?.();
    if (world.rounds.isWatched(this.serviceName)) {
      life.stopWatchdog = world.startWatchdog(world.subject.saga, inboxes, ports, (error) => {
        world.note(`${this.name} ends: ${error.message}`);
        world.count('a silent subscription noticed');
        this.crash();
      });
    }
  }

  /** Runs a program that is no service, once. It ends with what it does, or is broken off before. */
  async run(program: (ports: Ports) => Promise<void>): Promise<void> {
    const life = this.#begin();
    const { chance } = this.#world;
    if (chance(`${this.name} is broken off`) < 0.5)
      life.effectsLeft = Math.floor(EFFECTS_BEFORE_BREAK_MAX * chance(`${this.name} breaks off after`));
    try {
      await program(this.#portsOf(life));
    } catch (error) {
      this.#world.heard(this.name, 'it broke off', { error });
    } finally {
      life.alive = false;
    }
  }

  /** Ends a program for good. */
  breakOff(): void {
    if (this.#life) this.#life.alive = false;
  }

  #begin(): Life {
    const life: Life = {
      name: this.name,
      alive: true,
      pausedUntilMs: 0,
      subscriptions: new Map(),
      startedMs: this.#world.scheduler.nowMs,
      deliveredMs: new Map(),
      readers: new Map(),
      memory: [],
      busyWith: 0,
      hasTornRead: false,
      effectsLeft: Number.POSITIVE_INFINITY,
    };
    this.#life = life;
    return life;
  }

  /** Ends what the service does unasked. */
  drain(): void {
    void this.#life?.service?.drain?.();
  }

  /** The watchdog has had its time. What it did not notice, the platform ends some day. */
  endWatch(): void {
    this.#life?.stopWatchdog?.();
    if (this.silence) this.crash();
  }

  /** A subscription that is silent, and since when it has delivered nothing. */
  get silence(): { readonly subscription: string; readonly sinceMs: number } | undefined {
    const { silent, startedMs = 0, deliveredMs } = this.#life ?? {};
    return silent === undefined
      ? undefined
      : { subscription: silent, sinceMs: deliveredMs?.get(silent) ?? startedMs };
  }

  /** From now on, the broker hands it nothing of this subscription. */
  fallSilent(subscription: string): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#world.note(`${subscription} falls silent for ${this.name}`);
    life.silent ??= subscription;
    void life.subscriptions.get(subscription)?.close(0);
  }

  /** Whether it is there and answers requests of this kind. */
  answers(path: string, method?: Route['method']): boolean {
    return this.#routeOf(path, method) !== undefined;
  }

  #routeOf(path: string, method: Route['method'] = 'POST'): Route | undefined {
    const life = this.#life;
    if (life === undefined) return;
    life.routes ??= life.service?.routes() ?? [];
    return life.routes.find((one) => one.method === method && one.path === path);
  }

  /** Ends the life at once. What it held comes again when the broker misses the ack. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#world.note(`${this.name} CRASHES`);
    life.alive = false;
    this.#life = undefined;
    for (const open of life.subscriptions.values()) void open.close(0);
    this.#world.later(`${this.name} starts again`, RESTART_MS, () => this.start());
  }

  /** Hands a delivery to the process; false where it is not there to take it. */
  receive(subscription: string, delivery: Delivery): boolean {
    const reader = this.#life?.readers.get(subscription);
    reader?.(delivery);
    return reader !== undefined;
  }

  /** Asks over HTTP. Where the process dies meanwhile there is never an answer. */
  ask(
    path: string,
    params: Readonly<Record<string, string>>,
    { method, body, query, key }: Asked,
  ): Promise<HttpResponse> {
    const life = this.#life;
    const route = this.#routeOf(path, method);
    if (life === undefined || route === undefined) {
      return Promise.reject(new Error(`${this.name} does not answer ${path}`));
    }
    life.busyWith++;
    return route
      .handle({
        params,
        query,
        body,
        header: (name) => (name === 'idempotency-key' ? key : undefined),
      })
      .finally(() => isDone(life));
  }

  /** An effect takes place when the scheduler picks it, and its answer arrives when the scheduler picks that. */
  #effect<T>(life: Life, label: string, reach: Reach, apply: () => Promise<T>): Promise<T> {
    const world = this.#world;
    const { scheduler, faults } = world;
    return new Promise((resolve, reject) => {
      const takePlace = async (): Promise<void> => {
        const pause = faults.next('pause', this.name);
        if (pause) {
          world.note(`${this.name} sleeps for ${pause.seconds} s before it ${label}`);
          life.pausedUntilMs = scheduler.nowMs + 1000 * pause.seconds;
          scheduler.add(life, `${this.name} ${label}`, 0, takePlace, { reach });
          return;
        }
        if (--life.effectsLeft < 0) {
          world.note(`${this.name} is broken off before it ${label}`);
          life.alive = false;
          return;
        }
        const crash = faults.next('crash', this.name);
        if (crash?.when === 'before') return this.crash();
        const answer = await apply().then(
          (value) => {
            world.note(`${this.name} ${label}`);
            life.memory.push(memoryOf(label, value));
            return () => resolve(value);
          },
          (error: Error) => {
            world.note(`${this.name} ${label}: ${error.message}`);
            life.memory.push(`${label}: failed`);
            return () => reject(error);
          },
        );
        if (crash) return this.crash();
        if (world.answersAtOnce) answer();
        else
          scheduler.add(
            life,
            `${this.name} hears of it`,
            world.latencyMs(`${this.name} ${label} answer`),
            answer,
          );
      };
      scheduler.add(life, `${this.name} ${label}`, world.latencyMs(`${this.name} ${label}`), takePlace, {
        reach,
      });
    });
  }

  #portsOf(life: Life): Ports {
    const world = this.#world;
    return {
      store: this.#storeOf(life),
      bus: this.#busOf(life),
      clock: world.clockOf(life),
      random: () => world.chance(`${this.name} random`),
      newUuid: () => world.newUuid(),
      log: (_severity, text, fields) => {
        world.heard(this.name, text, fields, life.hasTornRead);
      },
    };
  }

  #storeOf(life: Life): Store {
    const world = this.#world;
    const { store, faults } = world;
    const assertThere = () => {
      if (world.isAway('store away')) throw new StoreError('unavailable', 'simulated: the store is away');
    };
    const read = async (paths: readonly Path[]) => {
      const { found } = await this.#effect(
        life,
        `reads ${paths.map(world.named).join(', ')}`,
        'first read',
        async () => {
          assertThere();
          if (faults.next('read', this.name)) throw new StoreError('unavailable', 'simulated: no answer');
          return { paths, found: await store.read(paths) };
        },
      );
      return found;
    };
    return {
      ...store,
      // The documents of one read may be from different moments: the port promises no more.
      read: async (paths) => {
        const middle = Math.ceil(paths.length / 2);
        if (paths.length < 2 || !world.tearsReads || world.chance(`${this.name} torn read`) < 0.8)
          return read(paths);
        life.hasTornRead = true;
        const [one, other] = await Promise.all([read(paths.slice(0, middle)), read(paths.slice(middle))]);
        return new Map([...one, ...other]);
      },
      commit: (writes) =>
        this.#effect(
          life,
          `commits ${writes.map(({ path }) => world.named(path)).join(', ')}`,
          'shared',
          async () => {
            assertThere();
            const result = faults.next('commit', this.name)?.result;
            if (result === 'conflict' || result === 'unavailable') {
              throw new StoreError(result, `simulated: ${result}`);
            }
            await world.commit(writes);
            if (result === 'lost answer')
              throw new StoreError('unavailable', 'simulated: the answer was lost');
            if (result === 'own success')
              throw new StoreError('conflict', 'simulated: it met its own success');
          },
        ),
      due: (query) =>
        this.#effect(
          life,
          `lists what is due in shard ${query.where.shard}`,
          world.isShardInUse(query.where.shard) ? 'shared' : 'local',
          async () => {
            assertThere();
            return store.due(query);
          },
        ),
    };
  }

  #busOf(life: Life): Bus {
    const world = this.#world;
    const { bus, faults } = world;
    const publishAll = async (messages: readonly OutgoingMessage[]) => {
      const error = new Error('simulated: the broker is away');
      const result = faults.next('publish', this.name)?.result;
      if (world.isAway('bus away') || result === 'error') return messages.map(() => error);
      if (result === 'twice') await bus.publish(messages);
      const results = await bus.publish(messages);
      return result === 'lost answer' ? messages.map(() => error) : results;
    };
    return {
      ...bus,
      publish: (messages) =>
        this.#effect(life, `publishes ${messages.map(world.nameOfMessage).join(', ')}`, 'local', () =>
          publishAll(messages),
        ),
      subscribe: (subscription, outstandingMax, onDelivery, onFailure) => {
        const receive = (delivery: Delivery) => {
          life.deliveredMs.set(subscription, world.scheduler.nowMs);
          onDelivery(this.#settledLater(life, subscription, delivery));
        };
        life.readers.set(subscription, receive);
        const handOut = (delivery: Delivery) => world.handOut(life, subscription, delivery, receive);
        const open = bus.subscribe(subscription, outstandingMax, handOut, onFailure);
        life.subscriptions.set(subscription, open);
        return open;
      },
    };
  }

  /** A delivery whose ack and nack are effects, too. */
  #settledLater(life: Life, subscription: string, delivery: Delivery): Delivery {
    const world = this.#world;
    const name = `${subscription} ${world.nameOfMessage(delivery)}`;
    life.busyWith++;
    life.memory.push(`took ${name}`);
    let settled = false;
    const settle = (verb: string, apply: () => void): void => {
      if (settled) return;
      settled = true;
      void this.#effect(life, `${verb} ${name}`, 'local', async () => {
        isDone(life);
        if (verb === 'acks' && world.faults.next('lost ack', subscription)) world.note('that ack is lost');
        else apply();
        world.settled(subscription, delivery);
        if (verb === 'acks') world.acked(subscription, delivery);
      });
    };
    return {
      ...delivery,
      ack: () => settle('acks', delivery.ack),
      nack: () => settle('nacks', delivery.nack),
    };
  }
}

/** An idle process has nothing left to remember. */
function isDone(life: Life): void {
  life.busyWith--;
  if (life.busyWith > 0) return;
  life.memory = [];
  life.hasTornRead = false;
}

function memoryOf(label: string, value: unknown): Memory {
  if (typeof value === 'object' && value !== null && 'found' in value)
    return value as Exclude<Memory, string>;
  return Array.isArray(value) ? `${label}: ${value.map((one) => one instanceof Error)}` : label;
}
