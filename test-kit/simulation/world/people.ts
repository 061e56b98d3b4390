import { Problem } from '../../../saga/http/http.ts';
import { isLedgerPath, type Ledger, PAUSED } from '../../../saga/ledger/ledger.ts';
import { forkUuid } from '../../../saga/steer/fork.ts';
import type { Word } from '../../../saga/step/wait.ts';
import type { PlannedOrder } from '../plan.ts';
import { wordFor } from '../words.ts';
import { deedsOf } from './deeds.ts';
import type { Asked } from './process.ts';
import { POISON, uuidOf, type World } from './world.ts';

/** An order as its customer knows it. */
export interface AcceptedOrder {
  readonly uuid: string;
  readonly order: object;
}

/** The people around the saga: they order, cancel, sweep, edit, and publish what they should not. */
export class People {
  /** The orders that were accepted: from here on, each must come to an end. */
  readonly accepted: AcceptedOrder[] = [];
  /** The uuids of the orders whose cancellation was accepted: each must end as canceled. */
  readonly canceled = new Set<string>();
  readonly world: World;
  readonly #uuids = new Map<string, string>();
  #putOff: (() => void)[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** Puts all their deeds on the calendar. */
  begin(): void {
    const { plan, subject } = this.world;
    plan.orders.forEach((order, index) => {
      const uuid = order.via === 'topic' ? uuidOf(index + 1) : subject.customers?.uuidOf(order);
      if (uuid !== undefined) this.know(order.name, uuid);
      this.world.later(`a customer orders ${order.name}`, order.atMs, () => this.#order(order), 'local');
    });
    for (const fault of plan.faults) {
      if (fault.kind === 'cancel') {
        const cancel = () => this.#cancel(fault.order);
        if (fault.isLate) this.putOff(cancel);
        else this.world.later(`a customer cancels ${fault.order}`, fault.atMs, cancel);
      }
      if (fault.kind === 'word') {
        const { order, word, step, isPublished, atMs } = fault;
        this.world.later(`somebody says ${word.word} to ${order}`, atMs, () => {
          const uuid = this.#uuids.get(order);
          if (uuid !== undefined) this.#say(uuid, step, word, isPublished);
        });
      }
      if (fault.kind === 'sweep') this.world.later('somebody sweeps', fault.atMs, () => this.sweep());
      if (fault.kind === 'poison') {
        this.world.later('somebody publishes poison', fault.atMs, () => this.#poison(fault.topic), 'local');
      }
      if (fault.kind === 'edit') {
        const { path, fields, atMs } = fault;
        this.world.later(`an operator edits ${path}`, atMs, () => this.#edit(path, fields));
      }
      if (fault.kind === 'deed') {
        const { deed, order, atMs } = fault;
        this.world.later(`somebody does ${deed}, perhaps to ${order}`, atMs, () => {
          this.world.note(`somebody does ${deed}`);
          return deedsOf(subject)[deed]?.(this, this.#uuids.get(order), () => this.world.chance(deed));
        });
      }
      if (fault.kind === 'forged') {
        const { topic, order, atMs } = fault;
        this.world.later(
          `somebody forges ${topic} of ${order}`,
          atMs,
          () => this.#forge(topic, order),
          'local',
        );
      }
    }
  }

  /**
   * Says something to every order that waits, but not always where the wait ends by itself, and lets those go on that are paused.
   * @returns whether anything was said.
   */
  answerWaits(): boolean {
    const { world } = this;
    const { subject } = world;
    const paused = [...world.documents.values()].filter(({ status }) => status === PAUSED);
    for (const { uuid } of paused)
      world.later(`an operator lets ${world.named(uuid)} go on`, 1_000, () => this.steer(uuid, 'resume'));
    const waiting = [...world.documents].flatMap(([path, ledger]) => {
      const step = isLedgerPath(path) ? subject.saga.waitingIn(ledger.status) : undefined;
      if (step === undefined) return [];
      const isLeft =
        step.waits.afterwards !== 'show' && !world.answersAtOnce && world.chance(`silence ${path}`) < 0.4;
      return isLeft ? [] : [{ step, ledger: ledger as Ledger }];
    });
    for (const { step, ledger } of waiting) {
      // Where every way is gone, what is said must not depend on what happened before.
      const chance = () => (world.answersAtOnce ? 0 : world.chance(`the word for ${ledger.uuid}`));
      const word = wordFor(subject, step, ledger, chance);
      world.later(`somebody says ${word.word} to ${world.named(ledger.uuid)}`, 1_000, () =>
        // What a crash leaves unpublished of a request, only the sweeper finds, and where every way is gone there is none.
        this.#say(ledger.uuid, step.name, word, world.answersAtOnce),
      );
    }
    return paused.length + waiting.length > 0;
  }

  #say(uuid: string, stepName: string, word: Word, isPublished: boolean): void {
    const { world } = this;
    const step = world.subject.saga.steps.find(({ name }) => name === stepName);
    if (step?.waits === undefined) return;
    const { path, listensTo } = step.waits;
    const { word: said, ...carried } = word;
    world.note(`somebody says ${said} to ${world.named(uuid)}`);
    if (isPublished && listensTo) this.#publish(listensTo.topic, { uuid, outcome: said, ...carried });
    else this.ask(`/${path}/${said}`, { uuid }, { body: carried });
  }

  /** Does something once all orders rest. */
  putOff(deed: () => void): void {
    this.#putOff.push(deed);
  }

  /** Does what was put off. @returns whether there was anything. */
  catchUp(): boolean {
    const deeds = this.#putOff;
    this.#putOff = [];
    for (const deed of deeds) this.world.later('somebody does what they have put off', 1_000, deed);
    return deeds.length > 0;
  }

  /** Asks for a sweep. */
  sweep(): void {
    this.ask('/sweep', {}, {});
  }

  /** Remembers the uuid of an order of the plan. */
  know(name: string, uuid: string): void {
    this.#uuids.set(name, uuid);
    this.world.call(uuid, name);
  }

  /** An order of the plan was accepted. */
  isAccepted({ name, order }: PlannedOrder): void {
    this.accepted.push({ uuid: this.#uuids.get(name) ?? name, order });
  }

  #order(order: PlannedOrder): void {
    const { saga, customers } = this.world.subject;
    if (order.via !== 'topic' && order.via !== 'nameless') customers?.order(this, order);
    else if (this.#publish(saga.entry.topic, this.#bodyOf(order)) && order.via === 'topic')
      this.isAccepted(order);
  }

  #cancel(name: string): void {
    const uuid = this.#uuids.get(name);
    if (uuid === undefined) return;
    this.world.note(`a customer cancels ${name}`);
    const { customers } = this.world.subject;
    if (customers) customers.cancel(this, uuid);
    else this.askToCancel(uuid);
  }

  /** An operator stops an order, or lets it go on. */
  steer(uuid: string, how: 'pause' | 'resume'): void {
    this.ask(`/sagas/{uuid}/${how}`, { uuid }, { body: { note: 'The provider is away' } });
  }

  /** An operator makes a new order of one that has ended, from this status on. Both must come to an end. */
  fork({ uuid, ...ledger }: Ledger, from: string): void {
    const { world } = this;
    const fork = forkUuid(uuid, from);
    const asked = Object.entries(ledger).filter(([field]) => world.subject.saga.orderFields.includes(field));
    world.call(fork, `${world.named(uuid)} from ${from}`);
    this.ask('/sagas/{uuid}/fork', { uuid }, { body: { from, note: 'The parcel was lost' } }, (status) => {
      if (status === 202 && !this.accepted.some((one) => one.uuid === fork))
        this.accepted.push({ uuid: fork, order: Object.fromEntries(asked) });
    });
  }

  /** An operator cancels an order. */
  askToCancel(uuid: string): void {
    const body = { detail: 'The customer does not want it any more' };
    this.ask('/sagas/{uuid}/cancel', { uuid }, { body }, (status) => {
      if (status === 202) this.canceled.add(uuid);
    });
  }

  /** A message about an order, as anybody could publish it who knows the uuid. */
  #forge(topic: string, name: string): void {
    const uuid = this.#uuids.get(name);
    const order = this.world.plan.orders.find((one) => one.name === name);
    if (uuid === undefined || order === undefined) return;
    this.#publish(topic, this.#bodyOf(order));
  }

  #poison(topic: string): void {
    const { world } = this;
    if (world.isAway('bus away')) return;
    world.note(`somebody publishes poison to ${topic}`);
    // Each service that reads the topic hands it to the desk.
    world.poisonCount += world.readersOf(topic).length;
    void world.bus.publish([{ topic, data: Buffer.from(POISON), attributes: {} }]);
  }

  async #edit(path: string, fields: object): Promise<void> {
    const { world } = this;
    const version = (await world.store.read([path])).get(path)?.version;
    if (version === undefined) return;
    world.note(`an operator edits ${path}: ${JSON.stringify(fields)}`);
    await world.commit([{ kind: 'update', path, fields, version }]);
  }

  /** The order as it is published; without a uuid where none is known. */
  #bodyOf({ name, order }: PlannedOrder): object {
    const uuid = this.#uuids.get(name);
    return { ...(uuid && { uuid }), ...this.world.subject.saga.order.shows(order as Ledger) };
  }

  #publish(topic: string, body: object): boolean {
    const { world } = this;
    if (world.isAway('bus away')) return false;
    const message = { topic, data: Buffer.from(JSON.stringify(body)), attributes: {} };
    world.note(`somebody publishes ${world.nameOfMessage(message)}`);
    void world.bus.publish([message]);
    return true;
  }

  /** Sends a request to one of the processes that answer it, if there is any. */
  ask(
    path: string,
    params: Readonly<Record<string, string>>,
    asked: Asked,
    onAnswer: (status: number, body: unknown) => void = () => {},
  ): void {
    const { world } = this;
    const there = world.processes.filter((one) => one.answers(path, asked.method));
    const process = there[Math.floor(world.chance(`who answers ${path}`) * there.length)];
    if (process === undefined) return;
    process.ask(path, params, asked).then(
      (answer) => {
        world.note(`${process.name} answers ${answer.status}`);
        world.count(`${asked.method ?? 'POST'} ${path}: ${answer.status}`);
        onAnswer(answer.status, answer.body);
      },
      (error: Error) => {
        world.note(`${process.name} answers: ${error.message}`);
        const status = error instanceof Problem ? error.status : 503;
        world.count(`${asked.method ?? 'POST'} ${path}: ${status}`);
        onAnswer(status, undefined);
        if (!(error instanceof Problem)) world.heard(process.name, 'an answer', { error: error.message });
      },
    );
  }
}
