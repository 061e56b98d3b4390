import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { type Data, loadData } from '../../data-init/load-data.ts';
import { reserveStock } from '../../inventory/reserve-stock.ts';
import { executeRepair, planRepair } from '../../janitor/audit/repair.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { createOrder } from '../../order/create-order.ts';
import { type OrderLedger, pipeline, type Reason } from '../../pipeline.ts';
import { DEAD_LETTER, derivedUuid } from '../../saga/deliver/message.ts';
import { DELIVERIES_MAX } from '../../saga/deliver/runner.ts';
import { allServices, type Service, topicsBefore } from '../../saga/deliver/service.ts';
import { subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import { deadlineOf, isStanding } from '../../saga/ledger/deadline.ts';
import { isFailed, ledgerPath, PAUSED } from '../../saga/ledger/ledger.ts';
import { readOne, type Store, StoreError } from '../../saga/ports/store.ts';
import { DEAD_LETTER_TOPIC, isWaitingStep, type Saga, type WaitingStep } from '../../saga/step/saga.ts';
import { refuse, type Step } from '../../saga/step/step.ts';
import type { Word } from '../../saga/step/wait.ts';
import { declaring } from '../../test-kit/simulation/checks/declaring.ts';
import { allDocuments } from '../support/all-documents.ts';
import { NOW, SETTINGS, TRACE, uuidOf, wordOf } from '../support/builders.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { sampleOf } from '../support/sample.ts';
import { wordRequest } from '../support/words.ts';
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
/** Of the gizmos only one is there, and soon none: the order waits until its customer decides. */
const PARTLY_THERE = {
  user: 'joe',
  items: [
    { item: 'widget', quantity: 3 },
    { item: 'gizmo', quantity: 2 },
  ],
  on_shortage: 'ask',
};
/** Orders that stop in each of their stages. */
const ORCHESTRATED: readonly [kind: string, order: object] = [
  'of one line, orchestrated',
  { ...ONE_LINE, mode: 'orchestration' },
];
const KINDS: readonly [kind: string, order: object][] = [
  ['of many lines, on credit', MANY_LINES],
  ['of which only a part is there', PARTLY_THERE],
];
/** What words carry that the latter can hear; other words carry a sample. */
const CARRIED: Readonly<Record<string, object>> = { amend: { items: [{ item: 'widget', quantity: 2 }] } };

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

/** The reasons of the steps for which no order fails, neither by itself nor by a word, each with its step. */
const furtherRefusals = (
  { steps }: Saga,
  orders: readonly RecordedOrder[],
): readonly { readonly step: string; readonly reason: string }[] =>
  steps.flatMap(({ name, reasons }) =>
    reasons.flatMap((reason) =>
      REFUSALS.some(([known]) => known === reason) || orders.some(({ ends }) => ends === reason)
        ? []
        : [{ step: name, reason }],
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
  const way = saga.steps.flatMap((step) => topicsBefore(saga, step));
  const { entry, failure, resumption, pause } = saga;
  const waitingSteps = saga.steps.filter(isWaitingStep);
  const [toStock = ''] = topicsBefore(saga, reserveStock);
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
    word?: Word,
  ): string {
    orders.push({ uuid, story, ends, knownBy, ...(word && { word }) });
    return uuid;
  }

  /** A customer orders; what must become of it is noted later. */
  async function accept(order: object, headers = {}): Promise<string> {
    beat();
    const { status, body } = await play.ask('POST', '/order', order, headers);
    if (status === 202) return body.uuid;
    throw new Error(`${JSON.stringify(order)} was not accepted: ${JSON.stringify(body)}`);
  }

  /** A customer orders. */
  const place = async (story: string, ends: RecordedOrder['ends'], order: object, headers = {}) =>
    note(await accept(order, headers), story, ends);

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
        ![...topicsBefore(saga, step), resumption?.topic, step.waits?.listensTo?.topic].includes(
          subscriptions[subscription].topic,
        ),
    );

  /** That an order goes on, every step hears that can wait. The one whose turn comes next would take it at once. */
  async function onlyReaderOf({ topic, attributes }: PublishedMessage): Promise<string | undefined> {
    if (topic !== resumption?.topic) return undefined;
    return saga.stepsAt(await ledgerOf(attributes['ce-subject'] ?? ''))[0]?.name;
  }

  async function deliver(message: PublishedMessage, expected: 'acked' | 'nacked' = 'acked', attempt = 1) {
    beat();
    const reader = await onlyReaderOf(message);
    const parcels = play
      .parcelsOf(message)
      .filter(({ subscription }) => !isKept(subscription))
      .filter(({ subscription }) => reader === undefined || subscriptions[subscription]?.service === reader);
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

  const ledgerOf = async (uuid: string) => (await readOne(store, ledgerPath(uuid))) as OrderLedger;

  /** Whether something is to follow, and not because the order fails. */
  async function isUnderWay(uuid: string): Promise<boolean> {
    const ledger = await ledgerOf(uuid);
    return isStanding(saga, ledger) && !isFailed(ledger);
  }

  /** Says a word over HTTP to an order that waits. */
  async function say(uuid: string, step: WaitingStep, word = wordOf(step.waits)): Promise<void> {
    beat();
    const { path, body } = wordRequest(step, uuid, word);
    const answer = await play.ask('POST', path, body);
    if (answer.status !== 202) throw new Error(`${path} was not heard: ${JSON.stringify(answer.body)}`);
  }

  /** Lets an order go on: by the message that announces where it stands, or by the word for which it waits. */
  async function goOn(uuid: string): Promise<void> {
    const ledger = await ledgerOf(uuid);
    const step = saga.waitingIn(ledger.status);
    await (step === undefined ? bring(uuid, saga.topicFor(ledger)) : say(uuid, step));
  }

  /** Lets an order go through so many stages, or until it rests or fails. */
  async function goThrough(uuid: string, stages = Number.POSITIVE_INFINITY): Promise<void> {
    for (let stage = 0; stage < stages && (await isUnderWay(uuid)); stage++) await goOn(uuid);
  }

  /** Lets an order go on until this step has its turn, or, if it waits, until it waits for a word. */
  async function goTo(uuid: string, { name }: Step, where: 'its turn' | 'its wait'): Promise<void> {
    const found = (ledger: OrderLedger) =>
      where === 'its turn' ? saga.stepsAt(ledger)[0] : saga.waitingIn(ledger.status);
    for (;;) {
      const ledger = await ledgerOf(uuid);
      if (found(ledger)?.name === name) return;
      if (!(await isUnderWay(uuid)))
        throw new Error(`Order ${uuid} is ${ledger.status} (${ledger.detail}): ${name} never has ${where}`);
      await goOn(uuid);
    }
  }

  /** Lets an order go as far as it can be canceled, whether or not its end is final. */
  function goBeforeItsEnd(uuid: string): Promise<void> {
    const last = saga.steps.at(-1) as Step;
    return goTo(uuid, last, last.waits ? 'its wait' : 'its turn');
  }

  /** Places an order for each of its stages, and lets it come there; the last one rests or fails. */
  async function* atEachStage(
    kind: string,
    order: object,
  ): AsyncGenerator<{ readonly uuid: string; readonly where: string }> {
    for (let stages = 0, isOver = false; !isOver; stages++) {
      const uuid = await accept(order);
      await goThrough(uuid, stages);
      isOver = !(await isUnderWay(uuid));
      yield { uuid, where: `${kind}, in stage ${stages + 1}` };
    }
  }

  /** Goes its way until a step refuses it. */
  async function goToItsRefusal(uuid: string): Promise<void> {
    await goThrough(uuid);
    const { story, ends } = orders.find((one) => one.uuid === uuid) as RecordedOrder;
    const { reason, detail } = await ledgerOf(uuid);
    if (reason === ends) return;
    const became = reason === undefined ? 'no step refused it' : `it was refused for ${reason} (${detail})`;
    throw new Error(
      `The order "${story}" is to fail for ${ends}, but ${became}. Give it in test/releases/stories.ts what only the step with that reason refuses`,
    );
  }

  /** @returns whether it could be canceled: not once its end is final, or the word has come that leads there. */
  async function cancel(uuid: string): Promise<boolean> {
    beat();
    await play.ask('POST', `/order/${uuid}/cancel`);
    return isFailed(await ledgerOf(uuid));
  }

  /** Lets the newest message of the desk reach it. Returns the letter's id. */
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

  /** Whatever people are shown by it reaches the desk, which keeps each once. */
  async function sweep(): Promise<void> {
    beat();
    const before = play.messages.length;
    await play.ask('POST', '/sweep');
    for (const message of play.messages.slice(before)) {
      if (message.topic === DEAD_LETTER_TOPIC) await deliver(message);
    }
    const { body } = await play.ask('GET', '/dead-letters?limit=100');
    for (const { id, reason } of body.letters as { id: string; reason: string }[]) {
      if (letters.every((letter) => letter.id !== id))
        letters.push({ id, story: `shown: ${reason}`, redrive: 'does no harm' });
    }
  }

  await loadData(saga, store, play.ports, { users: USERS, inventory: INVENTORY, ...furtherData });
  await countersThatWereCorrected();
  // Then what takes long: whatever stands meanwhile is swept.
  await ordersThatHeardNothing();
  await aStubbornCompensation();
  await ordersOverTheirDeadlineAndRepeatedOnes();
  for (const [kind, order] of [['of one line', ONE_LINE] as const, ORCHESTRATED, ...KINDS]) {
    for await (const { uuid, where } of atEachStage(kind, order)) note(uuid, where, 'in success');
  }
  await ordersThatHeardAWord();
  const further = furtherRefusals(saga, orders);
  for (const isCompensated of [false, true]) {
    const end = isCompensated ? 'compensated' : 'not yet compensated';
    for (const [reason, order] of REFUSALS) {
      const uuid = await place(`refused, ${end}`, reason, order);
      await goToItsRefusal(uuid);
      if (isCompensated) await bring(uuid, failure.topic);
    }
    for (const one of further) {
      const reason = one.reason as Reason;
      const uuid = await place(`refused without any cause, ${end}`, reason, ONE_LINE);
      refusal = one;
      await goToItsRefusal(uuid);
      refusal = undefined;
      if (isCompensated) await bring(uuid, failure.topic);
    }
    for (const [kind, order] of KINDS) {
      for await (const { uuid, where } of atEachStage(kind, order)) {
        if (!(await cancel(uuid))) {
          await goThrough(uuid);
          note(uuid, `not canceled any more, ${where}`, 'in success');
          continue;
        }
        note(uuid, `canceled by its customer, ${where}, ${end}`, 'CANCELED_BY_CUSTOMER');
        if (isCompensated) await bring(uuid, failure.topic);
      }
    }
    for (const [operator, named] of [
      ['an operator', {}],
      ['an operator who left a name', { 'saga-operator': 'alice' }],
    ] as const) {
      const uuid = await place(`canceled by ${operator}, ${end}`, 'CANCELED_BY_OPERATOR', ONE_LINE);
      await goBeforeItsEnd(uuid);
      await play.ask('POST', `/sagas/${uuid}/cancel`, { detail: 'The parcel was lost' }, named);
      if (isCompensated) await bring(uuid, failure.topic);
    }
  }
  const unpaid = { ...ONE_LINE, 'payment-error': true };
  for await (const { uuid, where } of atEachStage('whose payment fails', unpaid)) {
    note(uuid, where, 'PAYMENT_ERROR');
  }
  await ordersThatAreSteered();
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
    await goBeforeItsEnd(uuid);
    await cancel(uuid);
    await play.amend('inventory/relic', { quantity: 'nine' });
    for (const seconds of [31, 61, 121, 241, 481]) {
      await deliver(messageOf(uuid, failure.topic), 'nacked');
      play.moveOn(seconds);
      await sweep();
    }
    await play.amend('inventory/relic', { quantity: 9 });
  }

  async function ordersOverTheirDeadlineAndRepeatedOnes(): Promise<void> {
    const late: string[] = [];
    for (const [kind, order] of KINDS) {
      for await (const { uuid, where } of atEachStage(kind, order)) {
        const deadline = deadlineOf(saga, await ledgerOf(uuid));
        const isLate = deadline !== undefined && deadline.getTime() <= play.now().getTime() + 900_000;
        if (isLate) late.push(note(uuid, `over its deadline, ${where}`, 'DEADLINE_EXCEEDED'));
        else note(uuid, `not over its deadline, ${where}`, 'in success');
      }
    }
    const tooLate = await place('too late for its step', 'DEADLINE_EXCEEDED', ONE_LINE);
    await goTo(tooLate, reserveStock, 'its turn');
    play.moveOn(870);
    const repeated: string[] = [];
    for (const [kind, order] of KINDS) {
      for await (const { uuid, where } of atEachStage(kind, order)) {
        repeated.push(note(uuid, `announced again, ${where}`, 'in success'));
      }
    }
    const failing = await place('announced again while it is failing', 'CANCELED_BY_CUSTOMER', MANY_LINES);
    await goBeforeItsEnd(failing);
    await cancel(failing);
    const gone = await place('announced again, and gone on', 'in success', ONE_LINE);
    play.moveOn(32);
    await bring(tooLate, toStock);
    await sweep();
    await goThrough(gone, 2);
    // One of those over their deadline is compensated, the others are failing.
    await bring(late.at(-1) ?? '', failure.topic);
    // One of those that were announced again rests.
    await goThrough(repeated[0] ?? '');
  }

  /** The time of their waits is over: the order fails, goes on, or is shown to people, as the step says. */
  async function ordersThatHeardNothing(): Promise<void> {
    for (const step of waitingSteps) {
      const { as, afterwards } = step.waits;
      const ends = afterwards === 'give up' ? 'DEADLINE_EXCEEDED' : 'in success';
      const uuid = await place(`of which nothing was heard while it was ${as}`, ends, PARTLY_THERE);
      await goTo(uuid, step, 'its wait');
      const end = (await ledgerOf(uuid)).waitsUntil?.[step.name] as Date;
      play.moveOn((end.getTime() - play.now().getTime()) / 1000);
      await sweep();
      if (afterwards === 'give up') await bring(uuid, failure.topic);
    }
  }

  /** Every word that is said to orders, over HTTP and in messages: in its time, too early, too late, and against another one. */
  async function ordersThatHeardAWord(): Promise<void> {
    for (const step of waitingSteps) {
      const { as, words, listensTo } = step.waits;
      const waiting = async () => {
        const uuid = await accept(PARTLY_THERE);
        await goTo(uuid, step, 'its wait');
        return uuid;
      };
      for (const [name, carries] of Object.entries(words)) {
        const word: Word = { ...(CARRIED[name] ?? (sampleOf(carries) as object)), word: name };
        let ends: RecordedOrder['ends'] = 'in success';
        for (const [stages, howFar] of [
          [Number.POSITIVE_INFINITY, 'gone on to its end'],
          [1, 'gone on by a stage'],
          [0, 'not yet gone on'],
        ] as const) {
          const uuid = await waiting();
          await say(uuid, step, word);
          await goThrough(uuid, stages);
          ends = ((await ledgerOf(uuid)).reason as Reason | undefined) ?? ends;
          note(uuid, `that heard "${name}" while it was ${as}, ${howFar}`, ends);
        }
        if (ends !== 'in success') {
          const uuid = await waiting();
          await say(uuid, step, word);
          await goThrough(uuid);
          await bring(uuid, failure.topic);
          note(uuid, `that heard "${name}" while it was ${as}, compensated`, ends);
        }
        if (listensTo === undefined) continue;
        const told = await waiting();
        await deliver(spoken(listensTo.topic, told, word));
        note(told, `that was told "${name}" while it was ${as}`, ends);
        const untold = await waiting();
        spoken(listensTo.topic, untold, word);
        note(untold, `that is ${as}, and "${name}" is on its way`, ends, 'ledger', word);
      }
      if (listensTo !== undefined) await wordsThatWereParked(step, listensTo.topic);
    }
  }

  /** A word in a message. */
  function spoken(topic: string, uuid: string, { word, ...carried }: Word): PublishedMessage {
    return publish(topic, { ...carried, uuid, outcome: word });
  }

  async function wordsThatWereParked(step: WaitingStep, topic: string): Promise<void> {
    const word = wordOf(step.waits);
    const early = await place(`to which "${word.word}" was said too early`, 'in success', ONE_LINE);
    await deliver(spoken(topic, early, word));
    await park('a word that came too early', 'does no harm');
    await goTo(early, step, 'its wait');

    const rests = await place(`to which "${word.word}" was said twice`, 'in success', ONE_LINE);
    await goThrough(rests);
    await deliver(spoken(topic, rests, word));
    for (const [other, carries] of Object.entries(step.waits.words)) {
      if (other === word.word) continue;
      await deliver(spoken(topic, rests, { ...(sampleOf(carries) as object), word: other }));
      await park('a word against the one that was heard', 'parks it again');
    }
    const gone = await place('to which a word was said too late', 'CANCELED_BY_CUSTOMER', ONE_LINE);
    await goTo(gone, step, 'its wait');
    await cancel(gone);
    await deliver(spoken(topic, gone, word));
    await park('a word that came too late', 'parks it again');

    await deliver(spoken(topic, uuidOf(0xfd1), word));
    await park('a word to an order that nobody knows', 'parks it again');
    await deliver(spoken(topic, rests, { word: 'lost' }));
    await park('a word that is none', 'parks it again');
    await deliver(publish(topic, { uuid: rests }));
    await park('a message without a word', 'parks it again');
  }

  /** An operator's act on an order. @returns the order that it is about then. */
  async function steer(uuid: string, act: string, body: object = {}): Promise<string> {
    beat();
    const note = 'The provider is away';
    const answer = await play.ask(
      'POST',
      `/sagas/${uuid}/${act}`,
      { ...body, note },
      { 'saga-operator': 'alice' },
    );
    if (answer.status !== 202) throw new Error(`${act} was not done: ${JSON.stringify(answer.body)}`);
    return answer.body.uuid;
  }

  /** Operators stop orders before each of their steps, let some go on, and cancel others; they skip a step, and make a fork. */
  async function ordersThatAreSteered(): Promise<void> {
    if (pause === undefined) return;
    const becoming = {
      'and stays so': async () => 'in success',
      'and is let go on': async (uuid) => {
        await steer(uuid, 'resume');
        return 'in success';
      },
      'and is canceled': async (uuid) => {
        return (await cancel(uuid)) ? 'CANCELED_BY_CUSTOMER' : 'in success';
      },
      'and is canceled and compensated': async (uuid) => {
        if (!(await cancel(uuid))) return 'in success';
        await bring(uuid, failure.topic);
        return 'CANCELED_BY_CUSTOMER';
      },
    } as const satisfies Record<string, (uuid: string) => Promise<RecordedOrder['ends']>>;
    for (const [what, becomes] of Object.entries(becoming)) {
      for await (const { uuid, where } of atEachStage('of one line', ONE_LINE)) {
        const isPaused = saga.nextOf(await ledgerOf(uuid)).includes(PAUSED);
        if (isPaused) await steer(uuid, 'pause');
        note(
          uuid,
          `${where}, ${isPaused ? `is paused ${what}` : 'can be paused no more'}`,
          isPaused ? await becomes(uuid) : 'in success',
        );
      }
    }
    for (const step of saga.steps.filter(({ standIn }) => standIn !== undefined)) {
      const uuid = await place(`whose ${step.name} is skipped`, 'in success', ONE_LINE);
      await goTo(uuid, step, 'its turn');
      await steer(uuid, 'skip', { step: step.name });
    }
    const origin = await place('of which there is a fork', 'in success', ONE_LINE);
    await goThrough(origin);
    note(await steer(origin, 'fork', { from: createOrder.leadsTo }), 'that is a fork', 'in success');
  }

  async function ordersWithATraceOrAKey(): Promise<void> {
    const headers = { traceparent: TRACE };
    await place('with a trace', 'in success', ONE_LINE, headers);
    const onItsWay = await place('with a trace, on its way', 'in success', MANY_LINES, headers);
    await goTo(onItsWay, reserveStock, 'its turn');
    await goOn(onItsWay);
    const refused = await place(
      'with a trace, refused',
      'USER_NOT_FOUND',
      { ...ONE_LINE, user: 'nobody' },
      headers,
    );
    await goToItsRefusal(refused);
    await goThrough(await place('with a key', 'in success', ONE_LINE, { 'idempotency-key': 'key 1' }), 1);
  }

  async function ordersWithoutTheFrontend(): Promise<void> {
    const { user, item, quantity } = ONE_LINE;
    const nameless = { user, item, quantity };
    const uuidOfMessage = ({ id }: PublishedMessage) => derivedUuid('message-id', id);
    for (const stages of [1, Number.POSITIVE_INFINITY]) {
      const message = publish(entry.topic, nameless);
      await deliver(message);
      const uuid = note(
        uuidOfMessage(message),
        `published without a name, ${stages === 1 ? 'after its first stage' : 'at rest'}`,
        'in success',
      );
      await goThrough(uuid, stages - 1);
    }
    const refused = publish(entry.topic, { ...nameless, user: 'nobody' });
    await deliver(refused);
    note(uuidOfMessage(refused), 'published without a name, refused', 'USER_NOT_FOUND');
    const unseen = publish(entry.topic, { ...MANY_LINES, 'payment-error': 0 }, { traceparent: TRACE });
    note(uuidOfMessage(unseen), 'published without a name, not yet seen', 'PAYMENT_ERROR', 'message');
    const named = publish(entry.topic, { uuid: uuidOf(0xfa1), ...MANY_LINES });
    await deliver(named);
    note(uuidOf(0xfa1), 'published under a name', 'in success');
    publish(entry.topic, { uuid: uuidOf(0xfa2).toUpperCase(), ...nameless });
    note(uuidOf(0xfa2), 'published under a name, not yet seen', 'in success', 'message');
  }

  async function tombstones(): Promise<void> {
    const uuid = uuidOf(0xfb1);
    await deliver(publish(failure.topic, { uuid, reason: 'PAYMENT_ERROR' }, { traceparent: TRACE }));
    note(uuid, 'failed before anybody knew it', 'PAYMENT_ERROR');
    const overtaken = uuidOf(0xfb2);
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
      await deliver(publish(topic, { uuid: uuidOf(0xfc1 + index) }));
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
      await goTo(uuid, reserveStock, 'its turn');
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
