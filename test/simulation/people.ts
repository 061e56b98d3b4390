import { derivedUuid } from '../../saga/deliver/message.ts';
import { Problem } from '../../saga/http/http.ts';
import type { Order } from '../../shop/order.ts';
import { uuidOf } from '../support/builders.ts';
import type { AcceptedOrder } from './invariants.ts';
import type { PlannedOrder } from './plan.ts';
import { type Deeds, POISON, type World } from './world.ts';

/** A customer who has no answer asks again after this time, if that is safe: with an idempotency key. */
const PATIENCE_MS = 20_000;
const TRIES_MAX = 20;

/** The people around the pipeline: they order, cancel, sweep, and publish what they should not. */
export class People implements Deeds {
  readonly accepted: AcceptedOrder[] = [];
  readonly canceled = new Set<string>();
  readonly #world: World;
  readonly #uuids = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Puts all their deeds on the calendar. */
  begin(): void {
    const { plan } = this.#world;
    plan.orders.forEach((order, index) => {
      if (order.via === 'topic') this.#know(order.name, uuidOf(index + 1));
      if (order.via === 'key') this.#know(order.name, derivedUuid('idempotency-key', order.name));
      this.#world.later(`a customer orders ${order.name}`, order.atMs, () => this.#order(order), 'local');
    });
    for (const fault of plan.faults) {
      if (fault.kind === 'cancel') {
        this.#world.later(`a customer cancels ${fault.order}`, fault.atMs, () => this.#cancel(fault.order));
      }
      if (fault.kind === 'sweep') this.#world.later('somebody sweeps', fault.atMs, () => this.sweep());
      if (fault.kind === 'poison') {
        this.#world.later('somebody publishes poison', fault.atMs, () => this.#poison(fault.topic), 'local');
      }
      if (fault.kind === 'price') {
        this.#world.later('an operator sets a price', fault.atMs, () =>
          this.#setPrice(fault.item, fault.price),
        );
      }
      if (fault.kind === 'forged') {
        const { topic, order, atMs } = fault;
        this.#world.later(
          `somebody forges ${topic} of ${order}`,
          atMs,
          () => this.#forge(topic, order),
          'local',
        );
      }
    }
  }

  /** Asks a janitor to sweep. */
  sweep(): void {
    this.#ask('janitor', '/sweep', {}, undefined);
  }

  #know(name: string, uuid: string): void {
    this.#uuids.set(name, uuid);
    this.#world.call(uuid, name);
  }

  #order(order: PlannedOrder): void {
    if (order.via === 'topic' || order.via === 'nameless') {
      if (this.#publish('frontend', this.#bodyOf(order)) && order.via === 'topic') this.#isAccepted(order);
      return;
    }
    this.#post(order, 1);
  }

  #post(order: PlannedOrder, attempt: number): void {
    const world = this.#world;
    let settled = false;
    world.note(`a customer orders ${order.name}`);
    const body: Order = {
      user: order.user,
      items: order.items,
      ...(order.paymentError && { paymentError: 'true' }),
    };
    const isKnown = order.via === 'key';
    this.#ask('frontend', '/order', {}, body, isKnown ? order.name : undefined, (status, answer) => {
      settled = status === 202 || status === 422;
      if (status !== 202) return;
      if (!isKnown) this.#know(order.name, (answer as { uuid: string }).uuid);
      this.#isAccepted(order);
    });
    if (!isKnown) return;
    world.later(`a customer asks after ${order.name}`, PATIENCE_MS, () => {
      if (!settled && attempt < TRIES_MAX) this.#post(order, attempt + 1);
    });
  }

  #cancel(name: string): void {
    const uuid = this.#uuids.get(name);
    if (uuid === undefined) return;
    this.#world.note(`a customer cancels ${name}`);
    this.#ask('frontend', '/order/{uuid}/cancel', { uuid }, undefined, undefined, (status) => {
      if (status === 202) this.canceled.add(uuid);
    });
  }

  /** A message about an order, as anybody could publish it who knows the uuid. */
  #forge(topic: string, name: string): void {
    const uuid = this.#uuids.get(name);
    const order = this.#world.plan.orders.find((one) => one.name === name);
    if (uuid === undefined || order === undefined) return;
    this.#publish(topic, { ...this.#bodyOf(order), uuid });
  }

  #poison(topic: string): void {
    const world = this.#world;
    if (world.isAway('bus away')) return;
    world.note(`somebody publishes poison to ${topic}`);
    world.poisonCount++;
    void world.bus.publish([{ topic, data: Buffer.from(POISON), attributes: {} }]);
  }

  async #setPrice(item: string, price: number): Promise<void> {
    const world = this.#world;
    const path = `inventory/${item}`;
    const version = (await world.store.read([path])).get(path)?.version;
    if (version === undefined) return;
    world.note(`an operator sets the price of ${item} to ${price}`);
    await world.commit([{ kind: 'update', path, fields: { price_per_unit: price }, version }]);
  }

  #bodyOf({ name, user, items, paymentError }: PlannedOrder): object {
    const uuid = this.#uuids.get(name);
    return { ...(uuid && { uuid }), user, items, ...(paymentError && { 'payment-error': true }) };
  }

  #publish(topic: string, body: object): boolean {
    const world = this.#world;
    if (world.isAway('bus away')) return false;
    const message = { topic, data: Buffer.from(JSON.stringify(body)), attributes: {} };
    world.note(`somebody publishes ${world.nameOfMessage(message)}`);
    void world.bus.publish([message]);
    return true;
  }

  #isAccepted({ name, user, items }: PlannedOrder): void {
    this.accepted.push({ uuid: this.#uuids.get(name) ?? name, user, items });
  }

  #ask(
    service: 'frontend' | 'janitor',
    path: string,
    params: Readonly<Record<string, string>>,
    body: unknown,
    key?: string,
    onAnswer: (status: number, body: unknown) => void = () => {},
  ): void {
    const world = this.#world;
    const there = world.processes.filter(({ serviceName, isAlive }) => serviceName === service && isAlive);
    const process = there[Math.floor(world.chance(`who answers ${path}`) * there.length)];
    if (process === undefined) return;
    process.ask(path, params, body, key).then(
      (answer) => {
        world.note(`${process.name} answers ${answer.status}`);
        onAnswer(answer.status, answer.body);
      },
      (error: Error) => {
        world.note(`${process.name} answers: ${error.message}`);
        onAnswer(error instanceof Problem ? error.status : 503, undefined);
        if (!(error instanceof Problem)) world.heard(process.name, 'an answer', { error: error.message });
      },
    );
  }
}
