import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { type Data, loadData } from '../../data-init/load-data.ts';
import { reserveStock } from '../../inventory/reserve-stock.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { createOrder } from '../../order/create-order.ts';
import { type OrderLedger, pipeline, type Reason } from '../../pipeline.ts';
import { DEAD_LETTER, derivedUuid } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import { allServices, type Service, topicBefore } from '../../saga/deliver/service.ts';
import { subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { readOne, type Store, StoreError } from '../../saga/ports/store.ts';
import { DEAD_LETTER_TOPIC, type Saga } from '../../saga/step/saga.ts';
import { refuse, type Step } from '../../saga/step/step.ts';
import { declaring } from '../../test-kit/simulation/checks/declaring.ts';
import { allDocuments } from '../support/all-documents.ts';
import { NOW, SETTINGS, TRACE, uuidOf } from '../support/builders.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { type Cast, openPlay, type PublishedMessage, subscriptionsOf } from './play.ts';
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
  gem: { quantity: 2_000_000, price_per_unit: 10_000_000_000 },
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

/** Orders that the steps refuse. Where a step has another reason, an order is refused for it without any cause. */
const REFUSALS: readonly [reason: Reason, order: object][] = [
  ['USER_NOT_FOUND', { user: 'nobody', item: 'widget', quantity: 1 }],
  ['ITEM_NOT_FOUND', { ...ONE_LINE, item: 'unicorn' }],
  ['INSUFFICIENT_INVENTORY', { user: 'joe', items: [...MANY_LINES.items, { item: 'gizmo', quantity: 2 }] }],
  ['PAYMENT_ERROR', { ...ONE_LINE, 'payment-error': null }],
  ['PAYMENT_ERROR', { ...MANY_LINES, 'payment-error': { code: 7, why: ['no', 'money'] } }],
  ['STEP_FAILED', { ...ONE_LINE, fail: reserveStock.name }],
  ['INSUFFICIENT_CREDIT', { user: 'poor', item: 'widget', quantity: 1 }],
  ['INVALID_ORDER', { user: 'jack', item: 'gem', quantity: 1_000_000 }],
];

interface Production {
  readonly saga?: Saga;
  /** In which order the services of the saga are made; it makes no difference. */
  readonly arrange?: (services: readonly Service[]) => readonly Service[];
  /** Accounts that the saga has besides. */
  readonly furtherData?: Data;
}

/** The reasons of the steps for which no order is written down here, each with its step. */
const furtherRefusals = ({ steps }: Saga): readonly { readonly step: string; readonly reason: string }[] =>
  steps.flatMap(({ name, reasons }) =>
    reasons.flatMap((reason) =>
      REFUSALS.some(([known]) => known === reason) ? [] : [{ step: name, reason }],
    ),
  );

/** Records what the services of a saga leave behind. */
export async function record(
  release: string,
  {
    saga = pipeline,
    arrange = (services) => services,
    furtherData = withFurtherAccounts({ users: USERS, inventory: INVENTORY }, saga, plenty),
  }: Production = {},
): Promise<Recording> {
  /** The step that refuses every order for the time being, and for which reason. */
  let refusal: { readonly step: string; readonly reason: string } | undefined;
  const staged = declaring(saga, (step) => ({
    decide: (...given) =>
      refusal?.step === step.name ? refuse(refusal.reason, 'The story wants it so') : step.decide(...given),
  }));
  const cast: Cast = (ports) => arrange(allServices(staged, ports, SETTINGS));
  const subscriptions = subscriptionsOf(saga);
  /** The topics on which an order goes its way, each to the next step. */
  const way = saga.steps.map((step) => topicBefore(saga, step));
  const { entry, failure } = saga;
  const toStock = topicBefore(saga, reserveStock);
  /** What can't be processed is told to the step behind the first one of three, whichever that is. */
  const toNext = createOrder.announces;
  const next = saga.steps[saga.steps.findIndex(({ name }) => name === createOrder.name) + 1] as Step;
  const memory = createMemoryStore();
  let isFull = false;
  const store: Store = {
    ...memory,
    async commit(writes) {
      if (isFull) throw new StoreError('rejected', 'The document is too large');
      await memory.commit(writes);
    },
  };
  const play = openPlay(store, NOW, cast, { subscriptions });
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

  /** Whether a step reads it only for what is left in it: it may do its own turn then, before its time in the story. */
  const isKept = (subscription: string) =>
    saga.steps.some(
      (step) =>
        subscriptions[subscription]?.service === step.name &&
        subscriptions[subscription].topic !== topicBefore(saga, step),
    );

  async function deliver(message: PublishedMessage, expected: 'acked' | 'nacked' = 'acked', attempt = 1) {
    beat();
    const parcels = play.parcelsOf(message).filter(({ subscription }) => !isKept(subscription));
    const outcomes: ('acked' | 'nacked')[] = [];
    for (const parcel of parcels) outcomes.push(...(await play.deliver([parcel], attempt)));
    if (outcomes.length > 0 && outcomes.includes('nacked') === (expected === 'nacked')) return;
    throw new Error(`Message ${message.id} on ${message.topic} was ${outcomes.join(', ')}, not ${expected}`);
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
    for (const topic of topics) {
      await deliver(messageOf(uuid, topic));
    }
  }
  const bringSteps = (uuid: string, steps: number) => bring(uuid, ...way.slice(0, steps));

  /** Goes its way until a step refuses it. */
  async function bringToItsRefusal(uuid: string): Promise<void> {
    const isRefused = () =>
      play.messages.some(
        ({ topic, attributes }) => topic === failure.topic && attributes['ce-subject'] === uuid,
      );
    for (const topic of way) if (!isRefused()) await bring(uuid, topic);
    const { story, ends } = orders.find((one) => one.uuid === uuid) as RecordedOrder;
    const { reason, detail } = (await readOne(store, ledgerPath(uuid))) as OrderLedger;
    if (reason === ends) return;
    const became = reason === undefined ? 'no step refused it' : `it was refused for ${reason} (${detail})`;
    throw new Error(
      `The order "${story}" is to fail for ${ends}, but ${became}. Give it in test/releases/stories.ts what only the step with that reason refuses`,
    );
  }

  async function cancel(uuid: string): Promise<void> {
    beat();
    await play.ask('POST', `/order/${uuid}/cancel`);
  }

  /** Lets the newest message of the desk reach it. @returns the letter's id. */
  async function park(story: string, redrive: RecordedLetter['redrive']): Promise<string> {
    await deliver(play.messages.findLast(({ topic }) => topic === DEAD_LETTER_TOPIC) as PublishedMessage);
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

  await loadData(saga, store, play.ports, { users: USERS, inventory: INVENTORY, ...furtherData });
  await countersThatWereCorrected();
  // Then what takes long: whatever stands meanwhile is swept.
  await aStubbornCompensation();
  await ordersOverTheirDeadlineAndRepeatedOnes();
  for (const [name, order] of Object.entries({
    'of one line': ONE_LINE,
    'of many lines, on credit': MANY_LINES,
  })) {
    for (let steps = 0; steps <= way.length; steps++) {
      await bringSteps(await place(`${name}, after ${steps} steps`, 'in success', order), steps);
    }
  }
  for (const isCompensated of [false, true]) {
    const end = isCompensated ? 'compensated' : 'not yet compensated';
    for (const [reason, order] of REFUSALS) {
      const uuid = await place(`refused, ${end}`, reason, order);
      await bringToItsRefusal(uuid);
      if (isCompensated) await bring(uuid, failure.topic);
    }
    for (const further of furtherRefusals(saga)) {
      const reason = further.reason as Reason;
      const uuid = await place(`refused without any cause, ${end}`, reason, ONE_LINE);
      refusal = further;
      await bringToItsRefusal(uuid);
      refusal = undefined;
      if (isCompensated) await bring(uuid, failure.topic);
    }
    for (let steps = 0; steps <= way.length; steps++) {
      const story = `canceled by its customer after ${steps} steps, ${end}`;
      const uuid = await place(story, 'CANCELED_BY_CUSTOMER', MANY_LINES);
      await bringSteps(uuid, steps);
      await cancel(uuid);
      if (isCompensated) await bring(uuid, failure.topic);
    }
    for (const [operator, named] of [
      ['an operator', {}],
      ['an operator who left a name', { 'saga-operator': 'alice' }],
    ] as const) {
      const uuid = await place(`canceled by ${operator}, ${end}`, 'CANCELED_BY_OPERATOR', ONE_LINE);
      await bringSteps(uuid, way.length);
      await play.ask('POST', `/sagas/${uuid}/cancel`, { detail: 'The parcel was lost' }, named);
      if (isCompensated) await bring(uuid, failure.topic);
    }
  }
  for (let steps = 0; steps < way.length; steps++) {
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
    subscriptions,
    orders,
    letters,
    documents: await allDocuments(store, saga),
    messages: play.messages,
  };

  async function countersThatWereCorrected(): Promise<void> {
    await play.amend('inventory/wotsit', { quantity: 1_001 });
    await play.amend('users/joe', { credit: 99_999 });
    await executeRepair(saga, planRepair(await takeAudit(saga, play.ports)).actions, play.ports);
  }

  async function aStubbornCompensation(): Promise<void> {
    const order = { user: 'joe', items: [...MANY_LINES.items, { item: 'relic', quantity: 1 }] };
    const uuid = await place('whose compensation does not succeed', 'CANCELED_BY_CUSTOMER', order);
    await bringSteps(uuid, way.length);
    await cancel(uuid);
    await play.amend('inventory/relic', { quantity: 'nine' });
    for (const seconds of [31, 61, 121, 241, 481]) {
      await deliver(messageOf(uuid, failure.topic), 'nacked');
      play.moveOn(seconds);
      await sweep();
    }
    await park('a compensation that does not succeed', 'does no harm');
    await play.amend('inventory/relic', { quantity: 9 });
  }

  async function ordersOverTheirDeadlineAndRepeatedOnes(): Promise<void> {
    const late: string[] = [];
    for (let steps = 0; steps < way.length; steps++) {
      const uuid = await place(`over its deadline after ${steps} steps`, 'DEADLINE_EXCEEDED', MANY_LINES);
      await bringSteps(uuid, steps);
      late.push(uuid);
    }
    const tooLate = await place('too late for its step', 'DEADLINE_EXCEEDED', ONE_LINE);
    await bring(tooLate, entry.topic);
    play.moveOn(870);
    const repeated: string[] = [];
    for (let steps = 0; steps < way.length; steps++) {
      const uuid = await place(`announced again after ${steps} steps`, 'in success', MANY_LINES);
      await bringSteps(uuid, steps);
      repeated.push(uuid);
    }
    const failing = await place('announced again while it is failing', 'CANCELED_BY_CUSTOMER', MANY_LINES);
    await bringSteps(failing, way.length);
    await cancel(failing);
    const gone = await place('announced again, and gone on', 'in success', ONE_LINE);
    play.moveOn(32);
    await bring(tooLate, way[1] ?? '');
    await sweep();
    await bringSteps(gone, 2);
    // One of those over their deadline is compensated, the others are failing.
    await bring(late.at(-1) ?? '', failure.topic);
    // One of those that were announced again rests.
    await bring(repeated.at(-1) ?? '', way.at(-1) ?? '');
  }

  async function ordersWithATraceOrAKey(): Promise<void> {
    const headers = { traceparent: TRACE };
    await place('with a trace', 'in success', ONE_LINE, headers);
    const toReserve = saga.steps.indexOf(reserveStock) + 1;
    await bringSteps(await place('with a trace, on its way', 'in success', MANY_LINES, headers), toReserve);
    const refused = await place(
      'with a trace, refused',
      'USER_NOT_FOUND',
      { ...ONE_LINE, user: 'nobody' },
      headers,
    );
    await bringToItsRefusal(refused);
    await bringSteps(await place('with a key', 'in success', ONE_LINE, { 'idempotency-key': 'key 1' }), 1);
  }

  async function ordersWithoutTheFrontend(): Promise<void> {
    const { user, item, quantity } = ONE_LINE;
    const nameless = { user, item, quantity };
    const uuidOfMessage = ({ id }: PublishedMessage) => derivedUuid('message-id', id);
    for (const steps of [1, way.length]) {
      const message = publish(entry.topic, nameless);
      await deliver(message);
      const uuid = note(
        uuidOfMessage(message),
        `published without a name, after ${steps} steps`,
        'in success',
      );
      await bring(uuid, ...way.slice(1, steps));
    }
    const refused = publish(entry.topic, { ...nameless, user: 'nobody' });
    await deliver(refused);
    note(uuidOfMessage(refused), 'published without a name, refused', 'USER_NOT_FOUND');
    const unseen = publish(entry.topic, { ...MANY_LINES, 'payment-error': 0 }, { traceparent: TRACE });
    note(uuidOfMessage(unseen), 'published without a name, not yet seen', 'PAYMENT_ERROR', 'message');
    const named = publish(entry.topic, { uuid: uuidOf(0xa1), ...MANY_LINES });
    await deliver(named);
    note(uuidOf(0xa1), 'published under a name', 'in success');
    publish(entry.topic, { uuid: uuidOf(0xa2).toUpperCase(), ...nameless });
    note(uuidOf(0xa2), 'published under a name, not yet seen', 'in success', 'message');
  }

  async function tombstones(): Promise<void> {
    const uuid = uuidOf(0xb1);
    await deliver(publish(failure.topic, { uuid, reason: 'PAYMENT_ERROR' }, { traceparent: TRACE }));
    note(uuid, 'failed before anybody knew it', 'PAYMENT_ERROR');
    const overtaken = uuidOf(0xb2);
    await deliver(publish(failure.topic, { uuid: overtaken, ...MANY_LINES }));
    publish(entry.topic, { uuid: overtaken, ...MANY_LINES });
    note(overtaken, 'overtaken by its failure', pipeline.unknownReason as Reason);
  }

  async function deadLetters(): Promise<void> {
    await deliver(publish(toNext, Buffer.from('no JSON')));
    await park('no JSON', 'parks it again');
    await deliver(publish(entry.topic, Buffer.from([0xff, 0xfe, 0x00])));
    await park('no text', 'parks it again');
    await deliver(publish(entry.topic, { user: 'jack' }));
    await park('no order', 'parks it again');
    for (const [index, topic] of way.slice(1).entries()) {
      await deliver(publish(topic, { uuid: uuidOf(0xc1 + index) }));
      await park('an order that nobody knows', 'parks it again');
    }

    // What is on its way to the desk.
    const underWay = publish(toNext, { uuid: 'no uuid' }, { 'ce-specversion': '1.0' });
    await deliver(underWay);
    const id = derivedUuid(
      'dead-letter',
      `${subscriptionOf(topologyOf(saga), next.name, toNext)}/${underWay.id}`,
    );
    letters.push({ id, story: 'under way to the desk', redrive: 'parks it again' });

    await deliver(publish(toNext, Buffer.from('a test')));
    const discarded = await park('discarded', 'is not asked for');
    beat();
    await play.ask('DELETE', `/dead-letters/${discarded}?note=Was%20a%20test`);
    await deliver(publish(toNext, Buffer.from('twice')));
    const redriven = await park('redriven in vain', 'is not asked for');
    await deliver(await redriveLetter(redriven));
    await park('was redriven before', 'parks it again');

    // What failed at every delivery; then its cause was mended.
    const surprise = await place('given up, its letter parked', 'in success', { ...ONE_LINE, item: 'relic' });
    const mended = await place('given up, its letter redriven', 'in success', { ...ONE_LINE, item: 'relic' });
    for (const uuid of [surprise, mended]) {
      await bringSteps(uuid, saga.steps.indexOf(reserveStock));
      await play.amend('inventory/relic', { quantity: 'many' });
      await deliver(messageOf(uuid, toStock), 'acked', DELIVERIES_MAX);
      const isParked = uuid === surprise;
      const letter = await park('failed at every delivery', isParked ? 'does no harm' : 'is not asked for');
      await play.amend('inventory/relic', { quantity: 9 });
      if (!isParked) await deliver(await redriveLetter(letter));
    }
    for (const isRedriven of [false, true]) {
      const nameless = publish(entry.topic, ONE_LINE);
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
    const broker = {
      [DEAD_LETTER.subscription]: subscriptionOf(topologyOf(saga), createOrder.name, entry.topic),
      [DEAD_LETTER.attempts]: '100',
    };
    publish(DEAD_LETTER_TOPIC, ONE_LINE, broker);
    await park('given up by the broker, without a name', 'is refused');
    const byBroker = await place('given up by the broker', 'in success', MANY_LINES);
    const { data, attributes } = messageOf(byBroker, entry.topic);
    play.publish({ topic: DEAD_LETTER_TOPIC, data, attributes: { ...attributes, ...broker } });
    await park('given up by the broker', 'does no harm');
  }
}
