import { expect } from 'chai';
import { z } from 'zod';
import { pipeline } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import {
  aDelivery,
  aLedger,
  aLedgerThatIs,
  NOW,
  SETTINGS,
  type TestDelivery,
  TRACE,
  UUID,
  uuidOf,
} from '../../test/support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../../test/support/recorded-ports.ts';
import { aLedgerOfThree } from '../../test/support/shop-of-three.ts';
import { COMMIT_ATTEMPTS_MAX } from '../commit/group-commit.ts';
import { advance, fail, type Ledger, ledgerPath } from '../ledger/ledger.ts';
import type { Delivery } from '../ports/bus.ts';
import type { SagaEvent } from '../ports/observe.ts';
import { type Path, readOne } from '../ports/store.ts';
import { account, record } from '../step/document.ts';
import { defineSaga, type Saga } from '../step/saga.ts';
import { accept, type Step, stepsFor } from '../step/step.ts';
import { stepTask } from '../step/take-step.ts';
import { DEAD_LETTER, deadLetterOf, derivedUuid, messageFor } from './message.ts';
import { createConsumer, createRunner, DELIVERIES_MAX } from './runner.ts';

/** How much there is on the one shelf from which everybody takes. */
const shelves = account({
  name: 'shelf',
  path: 'shelves/{shelf}',
  balance: 'quantity',
  whole: 'loaded',
  fields: {},
  shortage: 'SHELF_EMPTY',
});
const SHELF = shelves.of('one').path;
/** What an order took is packed into a box of its own. */
const boxes = record({ name: 'box', path: 'boxes/{uuid}', schema: z.object({ wanted: z.int() }) });
const wantedBy = ({ items }: Order) => items[0]?.quantity ?? 0;

/** A step as a service would have it: takes what was ordered off that shelf. */
const takeFromShelf: Step = stepsFor<Order>()({
  name: 'inventory',
  leadsTo: 'RESERVED',
  announces: 'inventory-updated',
  says: 'the box is packed',
  uses: [shelves, boxes],
  reads: () => [shelves.of('one')],
  decide: () => accept({}),
  holds: (order) => [
    shelves.of('one').amount(wantedBy(order)),
    boxes.of(order.uuid).holding({ wanted: wantedBy(order) }),
  ],
});

/** A step that always passes and holds nothing. */
const passing = (name: string, leadsTo: string, announces: string): Step =>
  stepsFor<Order>()({
    name,
    leadsTo,
    announces,
    says: 'the step has passed',
    uses: [],
    reads: () => [],
    decide: () => accept({}),
    holds: () => [],
  });

/** A saga of these steps, on the topics of the shop. */
const sagaOf = (...steps: readonly Step[]): Saga =>
  defineSaga({
    name: 'packing',
    order: pipeline.order,
    entry: pipeline.entry,
    // The compiler checks only lists whose members it knows one by one.
    steps: steps as readonly [],
    failure: pipeline.failure,
    end: pipeline.end,
    reasons: pipeline.reasons,
    unknownReason: 'INVALID_ORDER',
    services: [],
    subscriptions: {},
  });
const packingWith = (step: Step): Saga =>
  sagaOf(passing('order', 'CREATED', 'order-created'), step, passing('payments', 'PAID', 'payment-created'));
const packing = packingWith(takeFromShelf);

const runnerOf = (saga: Saga, ports: RecordedPorts, options = {}) => {
  const step = saga.steps.find(({ name }) => name === 'inventory') as Step;
  const told = { settings: {}, deadlineSeconds: SETTINGS.deadlineSeconds };
  const party = {
    name: 'inventory',
    taskFor: (message: Parameters<typeof stepTask>[2]) =>
      stepTask(saga, step, message, { ...told, isEntry: saga.steps[0] === step }),
  };
  return createRunner(saga, party, ports, options);
};

const reserved = (before: Ledger): Ledger =>
  advance(packing, before, { step: 'inventory', by: 'inventory', learned: {}, now: NOW });
const tooFew = (left: number) => `shelf one has quantity ${left}, which is less than 2`;
const refused = (before: Ledger, left: number): Ledger =>
  fail(packing, before, { by: 'inventory', reason: 'SHELF_EMPTY', detail: tooFew(left), now: NOW });

const created = (uuid = UUID): Ledger => aLedgerOfThree('CREATED', { uuid });
const shelfWith = (quantity: number): Record<Path, object> => ({ [SHELF]: { quantity, loaded: 9 } });

/** The embedded engine with these ledgers and this much on the shelf, and a runner of the step on it. */
async function scene(ledgers: readonly Ledger[] = [created()], left = 5, saga = packing) {
  const ports = await recordedPorts({
    ...Object.fromEntries(ledgers.map((ledger) => [ledgerPath(ledger.uuid), ledger])),
    ...shelfWith(left),
  });
  const run = runnerOf(saga, ports);
  let messages = 0;
  const note = (event: string) => ports.journal.push(event);
  return {
    ports,
    deliver: (body: unknown, fields: Partial<Delivery> = {}): TestDelivery =>
      aDelivery(body, { messageId: `m${++messages}`, ...fields }, note),
    process: (...deliveries: readonly TestDelivery[]) => ports.clock.finish(run(deliveries)),
  };
}

const ledgerIn = (ports: RecordedPorts, uuid = UUID) => readOne(ports.store, ledgerPath(uuid));
const shelfIn = async (ports: RecordedPorts) => (await readOne(ports.store, SHELF))?.quantity;
const outcomes = (ports: RecordedPorts) => ports.logged.map(({ outcome }) => outcome);
const settled = (...deliveries: TestDelivery[]) => deliveries.map((delivery) => delivery.settled);

describe('The runner', () => {
  it('[anomaly 18] commits, then publishes, then acks', async () => {
    const { ports, deliver, process } = await scene();
    await process(deliver({ uuid: UUID }));
    expect(ports.journal).to.deep.equal(['commit', 'publish inventory-updated', 'ack m1']);
    expect(await ledgerIn(ports)).to.deep.equal(reserved(created()));
    expect(ports.published).to.deep.equal([messageFor(packing, reserved(created()))]);
    expect(await shelfIn(ports)).to.equal(3);
  });

  it('[anomaly 24] acks a refusal, which is a business answer like any other', async () => {
    const { ports, deliver, process } = await scene([created()], 1);
    await process(deliver({ uuid: UUID }));
    expect(ports.journal).to.deep.equal(['commit', 'publish error', 'ack m1']);
    expect(await ledgerIn(ports)).to.deep.equal(refused(created(), 1));
    expect(ports.published).to.deep.equal([messageFor(packing, refused(created(), 1))]);
    expect(await shelfIn(ports)).to.equal(1);
  });

  it('[anomaly 33] takes a whole batch in one read, one commit and one burst of messages', async () => {
    const uuids = [1, 2, 3].map(uuidOf);
    const { ports, deliver, process } = await scene(uuids.map(created), 5);
    const deliveries = uuids.map((uuid) => deliver({ uuid, items: [] }));
    await process(...deliveries);
    expect(ports.store.reads).to.have.length(2);
    expect(ports.journal).to.deep.equal([
      'commit',
      ...['inventory-updated', 'inventory-updated', 'error'].map((topic) => `publish ${topic}`),
      ...['ack m1', 'ack m2', 'ack m3'],
    ]);
    expect(outcomes(ports)).to.deep.equal(['accepted', 'accepted', 'refused']);
    expect(await shelfIn(ports)).to.equal(1);
  });

  it('fetches what a message describes along with its ledger, in one round trip', async () => {
    const { ports, deliver, process } = await scene();
    await process(deliver({ uuid: UUID, user: 'jack', item: 'widget', quantity: 2 }));
    expect(ports.store.reads).to.deep.equal([[ledgerPath(UUID), SHELF]]);
  });

  it('[anomaly 18] hands back what could not be published, and publishes it when it comes again', async () => {
    const { ports, deliver, process } = await scene();
    ports.deafTopics.add('inventory-updated');
    const first = deliver({ uuid: UUID });
    await process(first);
    expect([first.settled, await shelfIn(ports), ports.published]).to.deep.equal(['nacked', 3, []]);

    ports.deafTopics.clear();
    const second = deliver({ uuid: UUID }, { attempt: 2 });
    await process(second);
    expect(ports.journal).to.deep.equal(['commit', 'nack m1', 'publish inventory-updated', 'ack m2']);
    expect([await shelfIn(ports), await ledgerIn(ports)]).to.deep.equal([3, reserved(created())]);
    expect(ports.published).to.deep.equal([messageFor(packing, reserved(created()))]);
    expect(outcomes(ports)).to.deep.equal(['accepted', 'duplicate']);
  });

  it('[anomaly 18] publishes from the ledger where a crash came between commit and publish', async () => {
    for (const left of [reserved(created()), refused(created(), 0)]) {
      const { ports, deliver, process } = await scene([left]);
      await process(deliver({ uuid: UUID }, { attempt: 2 }));
      expect(ports.published).to.deep.equal([messageFor(packing, left)]);
      expect([await ledgerIn(ports), await shelfIn(ports), outcomes(ports)]).to.deep.equal([
        left,
        5,
        ['duplicate'],
      ]);
    }
  });

  it('[anomaly 9] publishes nothing and does nothing where the ledger has moved on', async () => {
    for (const status of ['PAID', 'FAILING', 'CANCELED'] as const) {
      const moved = aLedgerThatIs(status, {}, packing);
      const { ports, deliver, process } = await scene([moved]);
      await process(deliver({ uuid: UUID }));
      expect(ports.journal).to.deep.equal(['ack m1']);
      expect([await ledgerIn(ports), await shelfIn(ports)]).to.deep.equal([moved, 5]);
      expect(outcomes(ports)).to.deep.equal([status === 'PAID' ? 'duplicate' : 'fenced']);
    }
  });

  it('[anomaly 4] does nothing where the message came before its cause', async () => {
    const { ports, deliver, process } = await scene([aLedger()]);
    await process(deliver({ uuid: UUID }));
    expect(ports.journal).to.deep.equal(['ack m1']);
    expect([await ledgerIn(ports), await shelfIn(ports)]).to.deep.equal([aLedger(), 5]);
  });

  it('[anomaly 1] does once what a batch asks for twice, and publishes it once', async () => {
    const { ports, deliver, process } = await scene();
    await process(deliver({ uuid: UUID }), deliver({ uuid: UUID.toUpperCase() }), deliver({ uuid: UUID }));
    expect(ports.journal).to.deep.equal([
      'commit',
      'publish inventory-updated',
      'ack m1',
      'ack m2',
      'ack m3',
    ]);
    expect([await shelfIn(ports), await ledgerIn(ports)]).to.deep.equal([3, reserved(created())]);
    expect(outcomes(ports)).to.deep.equal(['accepted', 'duplicate', 'duplicate']);
  });

  it('[anomaly 1] hands all of them back where their one message could not be published', async () => {
    const { ports, deliver, process } = await scene();
    ports.deafTopics.add('inventory-updated');
    const twins = [deliver({ uuid: UUID }), deliver({ uuid: UUID })];
    await process(...twins);
    expect(settled(...twins)).to.deep.equal(['nacked', 'nacked']);
  });

  it('[anomaly 3] does nothing again where another worker was faster', async () => {
    const { ports, deliver, process } = await scene();
    const other = runnerOf(packing, ports);
    ports.store.commitFaults.push(() => other([deliver({ uuid: UUID }, { messageId: 'twin' })]));
    await process(deliver({ uuid: UUID }, { messageId: 'slow' }));
    expect(ports.journal).to.deep.equal([
      ...['commit', 'publish inventory-updated', 'ack twin'],
      ...['publish inventory-updated', 'ack slow'],
    ]);
    expect([await shelfIn(ports), await ledgerIn(ports)]).to.deep.equal([3, reserved(created())]);
    expect(new Set(ports.published.map(({ attributes }) => attributes['ce-id'])).size).to.equal(1);
  });

  it('[anomaly 19] publishes and acks after a commit whose answer was lost', async () => {
    for (const fault of ['lost answer', 'own success'] as const) {
      const { ports, deliver, process } = await scene();
      ports.store.commitFaults.push(fault);
      await process(deliver({ uuid: UUID }));
      expect(ports.journal).to.deep.equal(['commit', 'publish inventory-updated', 'ack m1']);
      expect([await shelfIn(ports), outcomes(ports)]).to.deep.equal([3, ['duplicate']]);
    }
  });

  it('[anomaly 37] hands everything back while the store is away', async () => {
    const { ports, deliver, process } = await scene();
    ports.store.readFaults = Number.POSITIVE_INFINITY;
    const deliveries = [deliver({ uuid: UUID }), deliver({ uuid: uuidOf(2) })];
    await process(...deliveries);
    expect([...settled(...deliveries), ...ports.published]).to.deep.equal(['nacked', 'nacked']);
    expect(outcomes(ports)).to.deep.equal(['surprise', 'surprise']);
  });
});

describe('A message that can never be processed', () => {
  const poison: readonly (readonly [what: string, body: unknown, reason: string])[] = [
    ['not JSON', Buffer.from('hello'), 'The message is not JSON'],
    ['a list', [], 'The message is not a JSON object'],
    ['without a uuid', { user: 'jack' }, 'The message has no uuid'],
    ['with a uuid that is none', { uuid: 'x' }, 'The uuid of the message is not a UUID'],
    ['of an order that nobody knows', { uuid: uuidOf(9) }, 'No order has the uuid of the message'],
    ['too large', Buffer.alloc(300_000, ' '), 'The message has more than 262144 bytes'],
  ];
  for (const [what, body, reason] of poison) {
    it(`[anomaly 22] is parked at once with its reason, and the others go on: ${what}`, async () => {
      const { ports, deliver, process } = await scene();
      const bad = deliver(body, { attempt: 4 });
      const good = deliver({ uuid: UUID });
      await process(bad, good);
      expect(settled(bad, good)).to.deep.equal(['acked', 'acked']);
      expect(await ledgerIn(ports)).to.deep.equal(reserved(created()));
      expect(ports.published).to.deep.equal([
        messageFor(packing, reserved(created())),
        {
          topic: 'dead-letter',
          data: bad.data,
          attributes: {
            [DEAD_LETTER.reason]: reason,
            [DEAD_LETTER.subscription]: 'order-created-sub',
            [DEAD_LETTER.messageId]: 'm1',
            [DEAD_LETTER.attempts]: '4',
          },
        },
      ]);
    });
  }

  it('[anomaly 22] is published before it is acked', async () => {
    const { ports, deliver, process } = await scene();
    await process(deliver('poison'));
    expect(ports.journal).to.deep.equal(['publish dead-letter', 'ack m1']);
  });

  it('[anomaly 31] comes again where it could not be parked', async () => {
    const { ports, deliver, process } = await scene();
    ports.deafTopics.add('dead-letter');
    const deliveries = [deliver('poison'), deliver({ uuid: UUID }), deliver({ uuid: uuidOf(9) })];
    await process(...deliveries);
    expect(settled(...deliveries)).to.deep.equal(['nacked', 'acked', 'nacked']);
  });

  it('[anomaly 23] is handed back alone where it surprises the step', async () => {
    const fragile = packingWith({
      ...takeFromShelf,
      decide(known, read, settings) {
        if ((known as Ledger).uuid === uuidOf(2)) throw new Error('Surprise');
        return takeFromShelf.decide(known, read, settings);
      },
    });
    const uuids = [1, 2, 3].map(uuidOf);
    const { ports, deliver, process } = await scene(uuids.map(created), 5, fragile);
    const deliveries = uuids.map((uuid) => deliver({ uuid }));
    await process(...deliveries);
    expect(settled(...deliveries)).to.deep.equal(['acked', 'nacked', 'acked']);
    expect([await ledgerIn(ports, uuidOf(2)), await shelfIn(ports)]).to.deep.equal([created(uuidOf(2)), 1]);
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal([
      'inventory-updated',
      'inventory-updated',
    ]);
  });

  for (const thrown of [new Error('The shelf fell down'), 'The shelf fell down']) {
    const what = typeof thrown === 'string' ? 'a text' : 'an error';
    it(`[anomaly 12] is parked with the surprise that it was at every delivery, and can be repeated: ${what}`, async () => {
      const fragile = packingWith({
        ...takeFromShelf,
        decide() {
          throw thrown;
        },
      });
      const { ports, deliver, process } = await scene([created()], 5, fragile);
      const last = deliver({ uuid: UUID }, { attempt: DELIVERIES_MAX });
      const lastButOne = deliver({ uuid: UUID }, { attempt: DELIVERIES_MAX - 1 });
      await process(lastButOne);
      expect([settled(lastButOne), ports.published]).to.deep.equal([['nacked'], []]);
      await process(last);
      expect(settled(last)).to.deep.equal(['acked']);
      expect(ports.published).to.deep.equal([
        deadLetterOf(last, 'It failed at every delivery: The shelf fell down'),
      ]);
      expect(await ledgerIn(ports)).to.deep.equal(created());
    });
  }

  it('[anomaly 31] comes again where the party has left it out', async () => {
    const ports = await recordedPorts();
    const forgetful = createConsumer(packing, 'inventory', async () => [], ports);
    const delivery = aDelivery({ uuid: UUID });
    await forgetful([delivery]);
    expect([delivery.settled, ports.logged.map(({ error }) => error)]).to.deep.equal([
      'nacked',
      ['The turn was not taken'],
    ]);
  });

  it('[anomaly 23] is handed back alone where the store rejects what it writes', async () => {
    const uuids = [1, 2, 3].map(uuidOf);
    const { ports, deliver, process } = await scene(uuids.map(created), 9);
    ports.store.poison = (path) => path === boxes.of(uuidOf(2)).path;
    const deliveries = uuids.map((uuid) => deliver({ uuid }));
    await process(...deliveries);
    expect(settled(...deliveries)).to.deep.equal(['acked', 'nacked', 'acked']);
    expect(await shelfIn(ports)).to.equal(5);
  });
});

describe('A message that is an order of its own', () => {
  it('[anomaly 1] is one order, however often it is delivered', async () => {
    const ports = await recordedPorts(shelfWith(5));
    const run = runnerOf(sagaOf(takeFromShelf), ports, { allowNameless: true });
    const order = { user: 'jack', item: 'widget', quantity: 2 };
    for (const attempt of [1, 2]) await run([aDelivery(order, { messageId: 'm1', attempt })]);
    const uuid = derivedUuid('message-id', 'm1');
    expect((await ports.store.list('sagas', 10)).map(({ id }) => id)).to.deep.equal([uuid]);
    expect(await shelfIn(ports)).to.equal(3);
    expect(new Set(ports.published.map(({ attributes }) => attributes['ce-id']))).to.deep.equal(
      new Set([`${uuid}/inventory-updated`]),
    );
  });
});

describe('The log', () => {
  it('tells the story of each delivery in one line', async () => {
    const { ports, deliver, process } = await scene([created(), created(uuidOf(2)), created(uuidOf(3))], 2);
    ports.store.commitFaults.push('conflict');
    ports.deafTopics.add('error');
    await process(
      deliver({ uuid: UUID }),
      deliver({ uuid: uuidOf(2) }, { attempt: 3 }),
      deliver('poison'),
      deliver({ uuid: UUID }),
    );
    const common = { step: 'inventory', batchSize: 4, durationMs: 10, attempt: 1 };
    expect(ports.logged).to.deep.equal([
      {
        ...common,
        severity: 'WARNING',
        message: 'inventory: parked',
        outcome: 'parked',
        detail: 'The message is not a JSON object',
        messageId: 'm3',
      },
      {
        ...common,
        severity: 'INFO',
        message: 'inventory: accepted',
        outcome: 'accepted',
        uuid: UUID,
        messageId: 'm1',
      },
      {
        ...common,
        severity: 'ERROR',
        message: 'inventory: refused, to be repeated',
        outcome: 'refused',
        uuid: uuidOf(2),
        detail: `SHELF_EMPTY: ${tooFew(0)}`,
        error: 'The broker is away',
        messageId: 'm2',
        attempt: 3,
      },
      {
        ...common,
        severity: 'INFO',
        message: 'inventory: duplicate',
        outcome: 'duplicate',
        uuid: UUID,
        messageId: 'm4',
      },
    ]);
  });

  it('says once how long an order took, where nothing is left to do for it', async () => {
    const saga = sagaOf(passing('order', 'CREATED', 'order-created'), takeFromShelf);
    const { ports, deliver, process } = await scene([created()], 5, saga);
    await ports.clock.finish(new Promise<void>((resolve) => ports.clock.after(7_000, resolve)));
    await process(deliver({ uuid: UUID }));
    await process(deliver({ uuid: UUID }));
    expect(ports.logged.map(({ outcome, processingSeconds }) => [outcome, processingSeconds])).to.deep.equal([
      ['accepted', 7],
      ['duplicate', undefined],
    ]);
  });

  it('says where in a trace the delivery belongs: as the ledger says, or else the message', async () => {
    const { ports, deliver, process } = await scene([{ ...created(), trace: TRACE }, created(uuidOf(2))]);
    const other = { attributes: { traceparent: TRACE.replaceAll('a', 'f') } };
    await process(
      deliver({ uuid: UUID }, other),
      deliver({ uuid: uuidOf(2) }, other),
      deliver('poison', other),
    );
    expect(ports.logged.map(({ message, traceparent }) => `${message} ${traceparent}`)).to.deep.equal([
      `inventory: parked ${other.attributes.traceparent}`,
      `inventory: accepted ${TRACE}`,
      `inventory: accepted ${other.attributes.traceparent}`,
    ]);
  });

  it('belongs to the work under way where that is observed, and the observer is told the same', async () => {
    const { ports, deliver } = await scene([created()]);
    const told: SagaEvent[] = [];
    const work = TRACE.replaceAll('b', 'c');
    const observe = (event: SagaEvent) => {
      told.push(event);
      return work;
    };
    const attributes = { traceparent: TRACE };
    await runnerOf(packing, { ...ports, observe })([
      deliver({ uuid: UUID }, { attributes }),
      deliver('poison', { attempt: 2 }),
    ]);
    const common = { kind: 'turn', by: 'inventory', durationMs: 0, error: undefined };
    expect(told).to.deep.equal([
      {
        kind: 'commit',
        by: 'inventory',
        ledgers: [{ before: created(), after: reserved(created()) }],
      },
      { ...common, outcome: 'parked', uuid: undefined, trace: undefined, attempt: 2 },
      { ...common, outcome: 'accepted', uuid: UUID, trace: TRACE, attempt: 1 },
    ]);
    expect(ports.logged.map(({ traceparent }) => traceparent)).to.deep.equal([work, work]);
  });

  it('warns, and no more, where others were faster at what many want', async () => {
    const { ports, deliver, process } = await scene();
    ports.store.commitFaults.push(...Array<'conflict'>(COMMIT_ATTEMPTS_MAX).fill('conflict'));
    await process(deliver({ uuid: UUID }));
    expect(ports.logged.map(({ severity, outcome }) => [severity, outcome])).to.deep.equal([
      ['WARNING', 'surprise'],
    ]);
  });

  it('says what surprised it', async () => {
    const { ports, deliver, process } = await scene();
    ports.store.readFaults = Number.POSITIVE_INFINITY;
    await process(deliver({ uuid: UUID }));
    const [line, ...others] = ports.logged;
    expect(others).to.deep.equal([]);
    expect(line).to.deep.include({
      severity: 'ERROR',
      message: 'inventory: surprise, to be repeated',
      outcome: 'surprise',
      error: 'The spec says: unavailable',
      uuid: UUID,
    });
  });
});
