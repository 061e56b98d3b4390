import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { loadData } from '../../data-init/load-data.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { DEAD_LETTER, derivedUuid } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import type { Reason } from '../../saga/ledger/ledger.ts';
import { type Store, StoreError } from '../../saga/ports/store.ts';
import { allDocuments } from '../support/all-documents.ts';
import { NOW, TRACE, uuidOf } from '../support/builders.ts';
import { type Cast, openPlay, type PublishedMessage } from './play.ts';
import type { RecordedLetter, RecordedOrder, Recording } from './recording.ts';

/**
 * What is recorded of a release: its own services play these stories on the embedded store, and stop in the middle of each.
 * All of it is determined, down to the moments and uuids. Where a status, a topic or a field is new, it needs a story here.
 */

const USERS = {
  jack: { address: '1 Hill Road', location: { lat: 51.5, lng: -0.1 } },
  joe: { address: '3 Mill Lane', credit: 100_000 },
  poor: { address: '5 Low Street', credit: 5 },
};
const INVENTORY = {
  widget: { quantity: 1_000, price_per_unit: 10 },
  wotsit: { quantity: 1_000, price_per_unit: 15 },
  gift: { quantity: 1_000, price_per_unit: 0 },
  gizmo: { quantity: 1, price_per_unit: 10 },
  gem: { quantity: 2_000_000_000, price_per_unit: 100_000_000 },
  relic: { quantity: 10, price_per_unit: 10 },
};

const ONE_LINE = { user: 'jack', item: 'widget', quantity: 2 };
const MANY_LINES = {
  user: 'joe',
  items: [
    { item: 'widget', quantity: 1 },
    { item: 'wotsit', quantity: 3 },
    { item: 'gift', quantity: 1 },
  ],
};

/** The topics on which an order goes its way, each to the next step. */
const WAY = ['frontend', 'order-created', 'inventory-updated'];

/** Everything for which a step refuses an order, and how many steps that takes. */
const REFUSALS: readonly [reason: Reason, steps: number, order: object][] = [
  ['USER_NOT_FOUND', 1, { user: 'nobody', item: 'widget', quantity: 1 }],
  ['ITEM_NOT_FOUND', 2, { ...ONE_LINE, item: 'unicorn' }],
  [
    'INSUFFICIENT_INVENTORY',
    2,
    { user: 'joe', items: [...MANY_LINES.items, { item: 'gizmo', quantity: 2 }] },
  ],
  ['PAYMENT_ERROR', 3, { ...ONE_LINE, 'payment-error': null }],
  ['PAYMENT_ERROR', 3, { ...MANY_LINES, 'payment-error': { code: 7, why: ['no', 'money'] } }],
  ['INSUFFICIENT_CREDIT', 3, { user: 'poor', item: 'widget', quantity: 1 }],
  ['INVALID_ORDER', 3, { user: 'jack', item: 'gem', quantity: 1_000_000_000 }],
];

/** @param cast the services of the release. */
export async function record(release: string, cast: Cast): Promise<Recording> {
  const memory = createMemoryStore();
  let isFull = false;
  const store: Store = {
    ...memory,
    async commit(writes) {
      if (isFull) throw new StoreError('rejected', 'The document is too large');
      await memory.commit(writes);
    },
  };
  const play = openPlay(store, NOW, cast);
  const orders: RecordedOrder[] = [];
  const letters: RecordedLetter[] = [];

  /** Each thing that happens has a moment of its own. */
  const beat = () => play.moveOn(0.05);

  function note(
    uuid: string,
    story: string,
    ends: RecordedOrder['ends'],
    knownBy: RecordedOrder['knownBy'] = 'ledger',
  ): string {
    orders.push({ uuid, story, ends, knownBy });
    return uuid;
  }

  /** A customer orders. */
  async function place(story: string, ends: RecordedOrder['ends'], order: object, headers = {}) {
    beat();
    const { status, body } = await play.ask('POST', '/order', order, headers);
    if (status !== 202) throw new Error(`${story}: the order was not accepted: ${JSON.stringify(body)}`);
    return note(body.uuid, story, ends);
  }

  const publish = (topic: string, body: unknown, attributes: Record<string, string> = {}) =>
    play.publish({
      topic,
      data: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
      attributes,
    });

  async function deliver(message: PublishedMessage, expected: 'acked' | 'nacked' = 'acked', attempt = 1) {
    beat();
    const outcomes = await play.deliver(play.parcelsOf(message), attempt);
    if (outcomes[0] === expected) return;
    throw new Error(`Message ${message.id} on ${message.topic} was ${outcomes[0]}, not ${expected}`);
  }

  /** The newest message of an order on a topic. */
  function messageOf(uuid: string, topic: string): PublishedMessage {
    const found = play.messages.findLast(
      (message) => message.topic === topic && message.attributes['ce-subject'] === uuid,
    );
    if (found === undefined) throw new Error(`Order ${uuid} was not announced on ${topic}`);
    return found;
  }

  async function bring(uuid: string, ...topics: readonly string[]): Promise<void> {
    for (const topic of topics) await deliver(messageOf(uuid, topic));
  }
  const bringSteps = (uuid: string, steps: number) => bring(uuid, ...WAY.slice(0, steps));

  async function cancel(uuid: string): Promise<void> {
    beat();
    await play.ask('POST', `/order/${uuid}/cancel`);
  }

  /** Lets the newest message of the desk reach it. @returns the letter's id. */
  async function park(story: string, redrive: RecordedLetter['redrive']): Promise<string> {
    await deliver(play.messages.findLast(({ topic }) => topic === 'dead-letter') as PublishedMessage);
    const { body } = await play.ask('GET', '/dead-letters?limit=1');
    const { id } = body.letters[0];
    letters.push({ id, story, redrive });
    return id;
  }

  async function redriveLetter(id: string): Promise<PublishedMessage> {
    beat();
    await play.ask('POST', `/dead-letters/${id}/redrive`);
    return play.messages.at(-1) as PublishedMessage;
  }

  async function sweep(): Promise<void> {
    beat();
    await play.ask('POST', '/sweep');
  }

  await loadData(store, play.ports, { users: USERS, inventory: INVENTORY });
  await countersThatWereCorrected();
  // Then what takes long: whatever stands meanwhile is swept.
  await aStubbornCompensation();
  await ordersOverTheirDeadlineAndReDrivenOnes();
  for (const [name, order] of Object.entries({
    'of one line': ONE_LINE,
    'of many lines, on credit': MANY_LINES,
  })) {
    for (let steps = 0; steps <= WAY.length; steps++) {
      await bringSteps(await place(`${name}, after ${steps} steps`, 'in success', order), steps);
    }
  }
  for (const isCompensated of [false, true]) {
    const end = isCompensated ? 'compensated' : 'not yet compensated';
    for (const [reason, steps, order] of REFUSALS) {
      const uuid = await place(`refused, ${end}`, reason, order);
      await bringSteps(uuid, steps);
      if (isCompensated) await bring(uuid, 'error');
    }
    for (let steps = 0; steps <= WAY.length; steps++) {
      const story = `canceled by its customer after ${steps} steps, ${end}`;
      const uuid = await place(story, 'CANCELED_BY_CUSTOMER', MANY_LINES);
      await bringSteps(uuid, steps);
      await cancel(uuid);
      if (isCompensated) await bring(uuid, 'error');
    }
    const uuid = await place(`canceled by an operator, ${end}`, 'CANCELED_BY_CUSTOMER', ONE_LINE);
    await bringSteps(uuid, WAY.length);
    await play.ask('POST', `/sagas/${uuid}/cancel`, { detail: 'The parcel was lost' });
    if (isCompensated) await bring(uuid, 'error');
  }
  for (let steps = 0; steps < WAY.length; steps++) {
    const order = { ...ONE_LINE, 'payment-error': true };
    const uuid = await place(`whose payment will fail, after ${steps} steps`, 'PAYMENT_ERROR', order);
    await bringSteps(uuid, steps);
  }
  await ordersWithATraceOrAKey();
  await ordersWithoutTheFrontend();
  await tombstones();
  await deadLetters();

  return {
    release,
    moment: play.now(),
    orders,
    letters,
    documents: await allDocuments(store),
    messages: play.messages,
  };

  async function countersThatWereCorrected(): Promise<void> {
    await play.amend('inventory/wotsit', { quantity: 1_001 });
    await play.amend('users/joe', { credit: 99_999 });
    await executeRepair(planRepair(await takeAudit(play.ports)).actions, play.ports);
  }

  async function aStubbornCompensation(): Promise<void> {
    const order = { user: 'joe', items: [...MANY_LINES.items, { item: 'relic', quantity: 1 }] };
    const uuid = await place('whose compensation does not succeed', 'CANCELED_BY_CUSTOMER', order);
    await bringSteps(uuid, WAY.length);
    await cancel(uuid);
    await play.amend('inventory/relic', { quantity: 'nine' });
    for (const seconds of [31, 61, 121, 241, 481]) {
      await deliver(messageOf(uuid, 'error'), 'nacked');
      play.moveOn(seconds);
      await sweep();
    }
    await park('a compensation that does not succeed', 'does no harm');
    await play.amend('inventory/relic', { quantity: 9 });
  }

  async function ordersOverTheirDeadlineAndReDrivenOnes(): Promise<void> {
    const late: string[] = [];
    for (let steps = 0; steps < WAY.length; steps++) {
      const uuid = await place(`over its deadline after ${steps} steps`, 'DEADLINE_EXCEEDED', MANY_LINES);
      await bringSteps(uuid, steps);
      late.push(uuid);
    }
    const tooLate = await place('too late for its step', 'DEADLINE_EXCEEDED', ONE_LINE);
    await bring(tooLate, 'frontend');
    play.moveOn(870);
    const redriven: string[] = [];
    for (let steps = 0; steps < WAY.length; steps++) {
      const uuid = await place(`re-driven after ${steps} steps`, 'in success', MANY_LINES);
      await bringSteps(uuid, steps);
      redriven.push(uuid);
    }
    const failing = await place('re-driven while it is failing', 'CANCELED_BY_CUSTOMER', MANY_LINES);
    await bringSteps(failing, WAY.length);
    await cancel(failing);
    const gone = await place('re-driven, and gone on', 'in success', ONE_LINE);
    play.moveOn(32);
    await bring(tooLate, 'order-created');
    await sweep();
    await bring(gone, 'frontend', 'order-created');
    // One of those over their deadline is compensated, the others are failing.
    await bring(late[2] ?? '', 'error');
    // One of those that were re-driven rests.
    await bring(redriven[2] ?? '', 'inventory-updated');
  }

  async function ordersWithATraceOrAKey(): Promise<void> {
    const headers = { traceparent: TRACE };
    await place('with a trace', 'in success', ONE_LINE, headers);
    await bringSteps(await place('with a trace, on its way', 'in success', MANY_LINES, headers), 2);
    const refused = await place(
      'with a trace, refused',
      'USER_NOT_FOUND',
      { ...ONE_LINE, user: 'nobody' },
      headers,
    );
    await bringSteps(refused, 1);
    await bringSteps(await place('with a key', 'in success', ONE_LINE, { 'idempotency-key': 'key 1' }), 1);
  }

  async function ordersWithoutTheFrontend(): Promise<void> {
    const { user, item, quantity } = ONE_LINE;
    const nameless = { user, item, quantity };
    const uuidOfMessage = ({ id }: PublishedMessage) => derivedUuid('message-id', id);
    for (const steps of [1, 3]) {
      const message = publish('frontend', nameless);
      await deliver(message);
      const uuid = note(
        uuidOfMessage(message),
        `published without a name, after ${steps} steps`,
        'in success',
      );
      await bring(uuid, ...WAY.slice(1, steps));
    }
    const refused = publish('frontend', { ...nameless, user: 'nobody' });
    await deliver(refused);
    note(uuidOfMessage(refused), 'published without a name, refused', 'USER_NOT_FOUND');
    const unseen = publish('frontend', { ...MANY_LINES, 'payment-error': 0 }, { traceparent: TRACE });
    note(uuidOfMessage(unseen), 'published without a name, not yet seen', 'PAYMENT_ERROR', 'message');
    const named = publish('frontend', { uuid: uuidOf(0xa1), ...MANY_LINES });
    await deliver(named);
    note(uuidOf(0xa1), 'published under a name', 'in success');
    publish('frontend', { uuid: uuidOf(0xa2).toUpperCase(), ...nameless });
    note(uuidOf(0xa2), 'published under a name, not yet seen', 'in success', 'message');
  }

  async function tombstones(): Promise<void> {
    const uuid = uuidOf(0xb1);
    await deliver(publish('error', { uuid, reason: 'PAYMENT_ERROR' }, { traceparent: TRACE }));
    note(uuid, 'failed before anybody knew it', 'PAYMENT_ERROR');
    const overtaken = uuidOf(0xb2);
    await deliver(publish('error', { uuid: overtaken, ...MANY_LINES }));
    publish('frontend', { uuid: overtaken, ...MANY_LINES });
    note(overtaken, 'overtaken by its failure', 'INVALID_ORDER');
  }

  async function deadLetters(): Promise<void> {
    await deliver(publish('order-created', Buffer.from('no JSON')));
    await park('no JSON', 'parks it again');
    await deliver(publish('frontend', Buffer.from([0xff, 0xfe, 0x00])));
    await park('no text', 'parks it again');
    await deliver(publish('frontend', { user: 'jack' }));
    await park('no order', 'parks it again');
    await deliver(publish('inventory-updated', { uuid: uuidOf(0xc1) }));
    await park('an order that nobody knows', 'parks it again');

    // What is on its way to the desk.
    const underWay = publish('order-created', { uuid: 'no uuid' }, { 'ce-specversion': '1.0' });
    await deliver(underWay);
    const id = derivedUuid('dead-letter', `order-created-sub/${underWay.id}`);
    letters.push({ id, story: 'under way to the desk', redrive: 'parks it again' });

    await deliver(publish('order-created', Buffer.from('a test')));
    const discarded = await park('discarded', 'is not asked for');
    beat();
    await play.ask('DELETE', `/dead-letters/${discarded}?note=Was%20a%20test`);
    await deliver(publish('order-created', Buffer.from('twice')));
    const redriven = await park('redriven in vain', 'is not asked for');
    await deliver(await redriveLetter(redriven));
    await park('was redriven before', 'parks it again');

    // What failed at every delivery; then its cause was mended.
    const surprise = await place('given up, its letter parked', 'in success', { ...ONE_LINE, item: 'relic' });
    const mended = await place('given up, its letter redriven', 'in success', { ...ONE_LINE, item: 'relic' });
    for (const uuid of [surprise, mended]) {
      await bring(uuid, 'frontend');
      await play.amend('inventory/relic', { quantity: 'many' });
      await deliver(messageOf(uuid, 'order-created'), 'acked', DELIVERIES_MAX);
      const isParked = uuid === surprise;
      const letter = await park('failed at every delivery', isParked ? 'does no harm' : 'is not asked for');
      await play.amend('inventory/relic', { quantity: 9 });
      if (!isParked) await deliver(await redriveLetter(letter));
    }
    for (const isRedriven of [false, true]) {
      const nameless = publish('frontend', ONE_LINE);
      isFull = true;
      await deliver(nameless, 'acked', DELIVERIES_MAX);
      isFull = false;
      const redrive = isRedriven ? 'is not asked for' : 'does no harm';
      const letter = await park('an order that nobody else knows', redrive);
      if (isRedriven) await redriveLetter(letter);
      const [story, knownBy] = isRedriven
        ? (['known to the desk alone, and redriven', 'message'] as const)
        : (['known to the desk alone', 'letter'] as const);
      note(derivedUuid('message-id', nameless.id), story, 'in success', knownBy);
    }

    // What the broker itself has given up: without the first id of the message, and without a reason.
    const broker = { [DEAD_LETTER.subscription]: 'frontend-sub', [DEAD_LETTER.attempts]: '100' };
    publish('dead-letter', ONE_LINE, broker);
    await park('given up by the broker, without a name', 'is refused');
    const byBroker = await place('given up by the broker', 'in success', MANY_LINES);
    const { data, attributes } = messageOf(byBroker, 'frontend');
    play.publish({ topic: 'dead-letter', data, attributes: { ...attributes, ...broker } });
    await park('given up by the broker', 'does no harm');
  }
}
