import { expect } from 'chai';
import { z } from 'zod';
import { type OrderLedger, pipeline, type Reason, type Status, type Topic } from '../../pipeline.ts';
import { aLedgerThatIs, NOW } from '../../test/support/builders.ts';
import { serviceNames } from '../deliver/service.ts';
import { declareTopology } from '../deliver/topology.ts';
import { historyLine } from '../ledger/history.ts';
import { account, document, record } from './document.ts';
import { defineSaga, type OrderKind, type StatusOf } from './saga.ts';
import { accept, refuse, type Step, stepsFor } from './step.ts';

/** The one place where the chain of the shop is spelled out by hand: everywhere else it follows from its definition. */
describe('The saga of this shop', () => {
  it('goes this way', () => {
    const chain = pipeline.statuses.map((status) => ({
      status,
      topic: pipeline.topicOf(status),
      next: pipeline.stepsAfter(status)[0]?.name,
    }));
    expect(chain).to.deep.equal([
      { status: 'RECEIVED', topic: 'frontend', next: 'order' },
      { status: 'CREATED', topic: 'order-created', next: 'inventory' },
      { status: 'WAITING', topic: 'order-waiting', next: undefined },
      { status: 'RESERVED', topic: 'inventory-updated', next: 'payments' },
      { status: 'PAID', topic: 'payment-created', next: 'delivery' },
      { status: 'DELIVERING', topic: 'delivery-started', next: undefined },
      { status: 'DELIVERED', topic: 'order-delivered', next: undefined },
      { status: 'RESUMED', topic: 'order-resumed', next: undefined },
      { status: 'PAUSED', topic: 'order-paused', next: undefined },
      { status: 'FAILING', topic: 'error', next: undefined },
      { status: 'CANCELED', topic: 'order-canceled', next: undefined },
    ]);
    expect(pipeline.success).to.equal('DELIVERED');
    expect(['WAITING', 'DELIVERING'].map((status) => pipeline.waitingIn(status)?.name)).to.deep.equal([
      'inventory',
      'delivery',
    ]);
  });

  it('lets an order go from each status to these, and to no other', () => {
    const next = pipeline.statuses.map((status) => [status, pipeline.nextOf(aLedgerThatIs(status))]);
    expect(Object.fromEntries(next)).to.deep.equal({
      RECEIVED: ['CREATED', 'PAUSED', 'FAILING'],
      CREATED: ['WAITING', 'RESERVED', 'PAUSED', 'FAILING'],
      WAITING: ['RESUMED', 'FAILING'],
      RESERVED: ['PAID', 'PAUSED', 'FAILING'],
      PAID: ['DELIVERING', 'DELIVERED', 'PAUSED', 'FAILING'],
      DELIVERING: ['RESUMED', 'FAILING'],
      DELIVERED: [],
      // It has heard its word, so it can't wait again.
      RESUMED: ['RESERVED', 'PAUSED', 'FAILING'],
      // Back to where it was stopped.
      PAUSED: ['RESERVED', 'FAILING'],
      FAILING: ['CANCELED'],
      CANCELED: [],
    });
  });

  it('believes a history that was stopped only before a step, and that went on from there or failed', () => {
    const followed = (way: readonly string[]) =>
      pipeline.statuses.filter((status) => pipeline.mayHaveFollowed(way, status));
    const stopped = pipeline.statuses.filter((status) => followed([status]).includes('PAUSED'));
    expect(stopped).to.deep.equal(['RECEIVED', 'CREATED', 'RESERVED', 'PAID', 'RESUMED']);
    expect(followed(['RECEIVED', 'CREATED', 'PAUSED'])).to.deep.equal(['CREATED', 'FAILING']);
  });

  it('fails for these reasons', () => {
    expect(pipeline.reasons).to.have.members([
      'INVALID_ORDER',
      'CANCELED_BY_CUSTOMER',
      'USER_NOT_FOUND',
      'ITEM_NOT_FOUND',
      'INSUFFICIENT_INVENTORY',
      'INSUFFICIENT_CREDIT',
      'PAYMENT_ERROR',
      'DELIVERY_CANCELED',
      'CANCELED_BY_OPERATOR',
      'DEADLINE_EXCEEDED',
      'STEP_FAILED',
    ] satisfies Reason[]);
    expect(pipeline.unknownReason).to.equal('INVALID_ORDER');
  });

  it('is run by these services, which read these subscriptions', () => {
    expect(serviceNames(pipeline)).to.deep.equal([
      'frontend',
      'order',
      'inventory',
      'payments',
      'delivery',
      'janitor',
      'orchestrator',
      'notifier',
    ]);
    const readers = Object.entries(declareTopology(pipeline).subscriptions).map(
      ([name, { service = 'people' }]) => [name, service],
    );
    expect(Object.fromEntries(readers)).to.deep.equal({
      'frontend-sub': 'order',
      'order-created-sub': 'inventory',
      'order-waiting-sub': 'people',
      'order-resumed-inventory-sub': 'inventory',
      'inventory-updated-sub': 'payments',
      'payment-created-delivery-sub': 'delivery',
      'payment-created-sub': 'people',
      'delivery-started-sub': 'people',
      'delivery-updates-sub': 'delivery',
      'order-delivered-notifier-sub': 'notifier',
      'order-delivered-sub': 'people',
      'order-resumed-delivery-sub': 'delivery',
      'order-paused-sub': 'people',
      'error-sub': 'janitor',
      'error-cli-sub': 'people',
      'order-canceled-notifier-sub': 'notifier',
      'order-canceled-sub': 'people',
      'workflow-sub': 'orchestrator',
      'dead-letter-sub': 'janitor',
      'dead-letter-cli-sub': 'people',
    });
  });

  it('keeps these documents', () => {
    expect(pipeline.kinds.map(({ name, template, held }) => `${held}: ${name} ${template}`)).to.deep.equal([
      'amounts: user users/{user}',
      'records: order record users/{user}/orders/{uuid}',
      'amounts: item inventory/{item}',
      'records: reservation inventory/{item}/orders/{uuid}',
      'records: invoice payments/{uuid}',
      'amounts: sales sales/{item}',
      'records: parcel deliveries/{uuid}',
    ]);
  });
});

interface Order {
  readonly owner: string;
  readonly weight: number;
}
const order: OrderKind<Order> = {
  schema: z.object({ owner: z.string(), weight: z.int() }),
  listedBy: ['owner'],
  parse: () => ({ faults: [] }),
  shows: () => ({}),
};
const step = stepsFor<Order>();
const price = z.int();

const purses = account({
  name: 'purse',
  path: 'purses/{owner}',
  balance: 'coins',
  whole: 'limit',
  fields: {},
  missing: 'NO_PURSE',
  shortage: 'TOO_POOR',
});
const tariffs = document({
  name: 'tariff',
  path: 'tariffs/{owner}',
  schema: z.object({ perKilo: price }),
  missing: 'NO_TARIFF',
});
const bills = record({ name: 'bill', path: 'bills/{uuid}', schema: z.object({ price }) });

const quote = step({
  name: 'quote',
  leadsTo: 'QUOTED',
  announces: 'quoted',
  says: 'the price is known',
  refusals: ['TOO_HEAVY'],
  uses: [tariffs],
  learns: { price },
  reads: ({ owner }) => [tariffs.of(owner)],
  decide: ({ owner, weight }, read) => accept({ price: weight * read(tariffs.of(owner)).perKilo }),
  holds: () => [],
});
const bill = step({
  name: 'bill',
  leadsTo: 'BILLED',
  announces: 'billed',
  says: 'the owner has paid',
  refusals: ['TOO_HEAVY'],
  uses: [purses, bills, tariffs],
  needs: { price },
  learns: { paid: price },
  reads: ({ owner }) => [purses.of(owner)],
  decide: ({ price }) => accept({ paid: price }),
  holds: ({ uuid, owner, price, paid }) => [purses.of(owner).amount(paid), bills.of(uuid).holding({ price })],
});
const around = {
  name: 'parcels',
  order,
  entry: { topic: 'orders', says: 'an order came' },
  failure: { topic: 'failed', says: 'the order fails' },
  end: { topic: 'given-up', says: 'the order is canceled' },
  reasons: ['NO', 'TOO_HEAVY'],
  unknownReason: 'NO',
  services: [],
  subscriptions: {},
} as const;
const parcels = () => defineSaga({ ...around, steps: [quote, bill] });

describe('A saga', () => {
  let saga: ReturnType<typeof parcels>;
  beforeEach(() => {
    saga = parcels();
  });

  it('has the statuses of its steps in their order, between the first one and those of a failure', () => {
    expect(saga.statuses).to.deep.equal(['RECEIVED', 'QUOTED', 'BILLED', 'FAILING', 'CANCELED']);
    expect(saga.success).to.equal('BILLED');
  });

  it('announces each status on its own topic', () => {
    expect(saga.statuses.map((status) => saga.topicOf(status))).to.deep.equal([
      'orders',
      'quoted',
      'billed',
      'failed',
      'given-up',
    ]);
    expect(() => saga.topicOf('LOST')).to.throw('parcels has no status LOST');
  });

  it('knows which step follows in which status', () => {
    expect(saga.statuses.map((status) => saga.stepsAfter(status))).to.deep.equal([
      [quote],
      [bill],
      [],
      [],
      [],
    ]);
    expect(saga.stepsAfter('LOST')).to.deep.equal([]);
  });

  it('has its own reasons, those of its steps and of the documents that they use, and those of every saga, each once', () => {
    expect(quote.reasons).to.deep.equal(['TOO_HEAVY', 'NO_TARIFF']);
    expect(bill.reasons).to.deep.equal(['TOO_HEAVY', 'NO_PURSE', 'TOO_POOR', 'NO_TARIFF']);
    expect(saga.reasons).to.deep.equal([
      'NO',
      'TOO_HEAVY',
      'NO_TARIFF',
      'NO_PURSE',
      'TOO_POOR',
      'CANCELED_BY_OPERATOR',
      'DEADLINE_EXCEEDED',
      'STEP_FAILED',
    ]);
  });

  it('knows each kind of document once, and which of them are accounts and records', () => {
    expect(saga.kinds).to.deep.equal([tariffs, purses, bills]);
    expect(saga.accounts).to.deep.equal([purses]);
    expect(saga.records).to.deep.equal([bills]);
  });

  it('knows what can be asked for', () => {
    expect(saga.orderFields).to.deep.equal(['owner', 'weight']);
  });

  it('has the variables of its services and of its steps', () => {
    const [DOOR, SCALES] = [z.string(), z.string()];
    const door = { ...service('door'), settings: { DOOR } };
    const { settings } = defineSaga({
      ...around,
      services: [door],
      steps: [{ ...quote, settings: { SCALES } }],
    });
    expect(settings).to.deep.equal({ DOOR, SCALES });
  });

  it('tells which status may follow which, now and in a history that had fewer steps', () => {
    const pairs = saga.statuses.flatMap((from) => saga.statuses.map((to) => [from, to] as const));
    const told = (may: (from: string, to: string) => boolean) =>
      pairs.filter(([from, to]) => may(from, to)).map(([from, to]) => `${from} ${to}`);
    const now = [
      'RECEIVED QUOTED',
      'RECEIVED FAILING',
      'QUOTED BILLED',
      'QUOTED FAILING',
      'BILLED FAILING',
      'FAILING CANCELED',
    ];
    const mayFollow = (from: string, to: string) => saga.nextOf({ status: from, history: [] }).includes(to);
    const mayHaveFollowed = (from: string, to: string) => saga.mayHaveFollowed([from], to);
    expect(told(mayFollow)).to.have.members(now);
    expect(told(mayHaveFollowed)).to.have.members([...now, 'RECEIVED BILLED']);
    for (const may of [mayFollow, mayHaveFollowed]) {
      expect([may('RECEIVED', 'LOST'), may('LOST', 'FAILING'), may('LOST', 'QUOTED')]).to.deep.equal([
        false,
        false,
        false,
      ]);
    }
  });

  it('takes for done what the history says, also where a step was not there yet or is no more', () => {
    const done = (...statuses: string[]) =>
      saga
        .actsOf({
          status: statuses.at(-1) ?? '',
          history: statuses.map((status) => historyLine(status, 'QUOTED', NOW)),
        })
        .map(({ step }) => step.name);
    expect(done('RECEIVED')).to.deep.equal([]);
    expect(done('RECEIVED', 'QUOTED', 'BILLED')).to.deep.equal(['quote', 'bill']);
    expect(done('RECEIVED', 'BILLED', 'FAILING')).to.deep.equal(['bill']);
    expect(done('RECEIVED', 'WEIGHED', 'QUOTED')).to.deep.equal(['quote']);
    expect(done('RECEIVED', 'QUOTED', 'FAILING', 'CANCELED')).to.deep.equal([]);
  });
});

describe('A step that declares no more than it must', () => {
  it('needs and learns nothing, has no settings, refuses no order and answers nothing over HTTP', () => {
    const { name, leadsTo, announces, says } = quote;
    const plain = step({
      ...{ name, leadsTo, announces, says, uses: [], reads: () => [] },
      decide: () => accept({}),
    });
    const { needs, settings, reasons, learns } = plain;
    expect([needs, settings, reasons, learns.parse({})]).to.deep.equal([{}, {}, [], {}]);
    const none = {} as never;
    expect(plain.routes(none, none, none, none)).to.deep.equal([]);
    expect(plain.holds({})).to.deep.equal([]);
  });
});

/** A step of which nothing matters but what `fields` say. */
const aStep = (fields: Partial<Step>): Step => ({ ...quote, learns: z.object({}), needs: {}, ...fields });
const other = aStep({ name: 'other', leadsTo: 'OTHER', announces: 'other' });
/** What is wrong with a saga of these steps, as plain JavaScript might declare it. */
function faultsOf(steps: readonly Step[], fields: Partial<Parameters<typeof defineSaga>[0]> = {}): string[] {
  try {
    defineSaga({ ...around, ...fields, steps: steps as readonly [] });
  } catch (error) {
    const [heading, ...faults] = (error as Error).message.split('\n');
    expect(heading).to.equal('The saga parcels contradicts itself:');
    return faults.map((fault) => fault.trim());
  }
  return [];
}
const service = (name: string) => ({
  name,
  reads: () => [],
  publishes: () => [],
  create: () => ({ name, consumers: [], routes: () => [] }),
});

describe('A saga that contradicts itself', () => {
  it('is told from one that does not', () => {
    expect([faultsOf([quote]), faultsOf([quote, bill]), faultsOf([quote, other])]).to.deep.equal([
      [],
      [],
      [],
    ]);
  });

  const { price: _, ...nothing } = { price };
  const wrong: readonly (readonly [what: string, found: () => string[], faults: readonly string[]])[] = [
    ['has no steps', () => faultsOf([]), ['it has no steps']],
    ['needs what no step learns', () => faultsOf([bill]), ['bill needs price, which no earlier step learns']],
    [
      'needs what only a later step learns',
      () => faultsOf([bill, quote]),
      ['bill needs price, which no earlier step learns'],
    ],
    [
      'needs something else than is learned under that name',
      () => faultsOf([quote, aStep({ ...bill, needs: { price: z.string() }, learns: z.object(nothing) })]),
      ['bill needs another price than is learned'],
    ],
    [
      'learns again what an earlier step has learned',
      () => faultsOf([quote, { ...other, learns: z.object({ price }) }]),
      ['other learns price, which is known before'],
    ],
    [
      'learns what was asked',
      () => faultsOf([{ ...other, learns: z.object({ owner: z.string() }) }]),
      ['other learns owner, which is known before'],
    ],
    [
      'has a step whose stand-in is not what it learns',
      () => faultsOf([{ ...quote, standIn: { price: 'free' } }]),
      ['the stand-in of quote is not what it learns'],
    ],
    [
      'learns what every ledger says',
      () => faultsOf([{ ...other, learns: z.object({ status: z.string(), at: z.date() }) }]),
      [
        'status is a field of every ledger: give yours another name',
        'at is a field of every ledger: give yours another name',
      ],
    ],
    [
      'asks for what every ledger says',
      () => faultsOf([other], { order: { ...order, schema: z.object({ detail: z.string() }) } }),
      ['detail is a field of every ledger: give yours another name'],
    ],
    [
      'asks in an unknown field for a step to fail',
      () => faultsOf([quote], { order: { ...order, failsAt: 'fail' } }),
      ['an order names the step that fails in fail, which is no field of it'],
    ],
    [
      'asks in an unknown field for its mode',
      () => faultsOf([quote], { order: { ...order, modeIn: 'how' } }),
      ['an order names its mode in how, which is no field of it'],
    ],
    [
      'belongs to a customer in an unknown field',
      () => faultsOf([quote], { order: { ...order, ownedBy: 'buyer' } }),
      ['an order names its customer in buyer, which is no field of it'],
    ],
    [
      'has two steps of one name',
      () => faultsOf([quote, { ...other, name: 'quote' }]),
      ['the service quote is there twice'],
    ],
    [
      'has a service beside its steps that bears the name of one',
      () => faultsOf([quote], { services: [service('quote'), service('door'), service('door')] }),
      ['the service door is there twice', 'the service quote is there twice'],
    ],
    [
      'leads to one status twice',
      () => faultsOf([quote, { ...other, leadsTo: 'QUOTED' }]),
      ['the status QUOTED is there twice'],
    ],
    ...['RECEIVED', 'RESUMED', 'PAUSED', 'FAILING', 'CANCELED'].map(
      (status) =>
        [
          `leads to ${status}, which the kernel has`,
          () => faultsOf([{ ...other, leadsTo: status }]),
          [`the status ${status} is there twice`],
        ] as const,
    ),
    [
      'uses two kinds of documents of one name',
      () =>
        faultsOf([
          {
            ...quote,
            uses: [
              record({ name: 'note', path: 'notes/{uuid}', schema: z.object({}) }),
              record({ name: 'note', path: 'slips/{uuid}', schema: z.object({}) }),
            ],
          },
        ]),
      ['the kind of document note is there twice'],
    ],
    [
      'can close a kind of document that refuses no order',
      () =>
        faultsOf([
          {
            ...quote,
            uses: [
              document({
                name: 'rule',
                path: 'rules/{id}',
                schema: z.object({}),
                closedBecause: () => 'It is',
              }),
            ],
          },
        ]),
      ['a rule can be closed, but no reason is there to refuse an order then: say `missing`'],
    ],
    [
      'has a setting of two steps',
      () =>
        faultsOf([
          { ...quote, settings: { LIMIT: z.string() } },
          { ...other, settings: { LIMIT: z.string() } },
        ]),
      ['the setting LIMIT is there twice'],
    ],
    [
      'has a service of a name that is kept for people',
      () => faultsOf([{ ...quote, name: 'people' }]),
      ['the service people is there twice'],
    ],
    [
      'announces a step where dead letters go',
      () => faultsOf([{ ...quote, announces: 'dead-letter' }]),
      ['the topic dead-letter is there twice'],
    ],
    [
      'gives a tombstone a reason that is none',
      () => faultsOf([quote], { unknownReason: 'BECAUSE' }),
      ['BECAUSE is none of its reasons'],
    ],
    [
      'announces two statuses on one topic',
      () => faultsOf([quote, { ...other, announces: 'quoted' }]),
      ['the topic quoted is there twice'],
    ],
    ...(['entry', 'resumption', 'pause', 'workflow', 'failure', 'end'] as const).map(
      (place) =>
        [
          `announces a step where its ${place} is announced`,
          () => faultsOf([other], { [place]: { topic: other.announces, says: 'something else' } }),
          ['the topic other is there twice'],
        ] as const,
    ),
    [
      'has a status that is not in capital letters',
      () => faultsOf([{ ...other, leadsTo: 'Other' }, aStep({ leadsTo: 'ÜBER' })]),
      [
        'the status Other of other is not in CAPITAL_LETTERS',
        'the status ÜBER of quote is not in CAPITAL_LETTERS',
      ],
    ],
    [
      'has a name or a topic that is not in small letters',
      () => faultsOf([{ ...other, name: 'Other' }, aStep({ announces: 'it/is' })]),
      [
        'the service or topic Other is not in small-letters',
        'the service or topic it/is is not in small-letters',
      ],
    ],
    [
      'ends with a topic that is not in small letters',
      () => faultsOf([quote], { end: { topic: 'Order Canceled!', says: 'the end' } }),
      ['the service or topic Order Canceled! is not in small-letters'],
    ],
    [
      'keeps a subscription for a service that there is not',
      () => faultsOf([quote], { subscriptions: { 'frontend-sub': 'nobody' } }),
      ['frontend-sub has the reader nobody, which is no service'],
    ],
    [
      'keeps subscriptions of no topic, and of topics that come behind their reader',
      () =>
        faultsOf([quote, other], {
          subscriptions: { 'nothing-sub': 'people', 'quoted-sub': 'quote', 'dead-letter-sub': 'other' },
        }),
      [
        'nothing-sub is no subscription by which people can read a topic',
        'quoted-sub is no subscription by which quote can read a topic',
        'dead-letter-sub is no subscription by which other can read a topic',
      ],
    ],
  ];
  for (const [what, found, faults] of wrong) {
    it(`${what}: that is named`, () => {
      expect(found()).to.have.members(faults);
    });
  }

  it('[anomaly 26] is told everything at once', () => {
    expect(faultsOf([bill, { ...other, leadsTo: 'BILLED', announces: 'billed' }])).to.deep.equal([
      'bill needs price, which no earlier step learns',
      'the status BILLED is there twice',
      'the topic billed is there twice',
    ]);
  });
});

describe('The compiler', () => {
  it('knows every status, topic and reason of a saga', () => {
    const statuses: Record<StatusOf<ReturnType<typeof parcels>>, true> = {
      RECEIVED: true,
      QUOTED: true,
      BILLED: true,
      FAILING: true,
      CANCELED: true,
    };
    expect(parcels().statuses).to.have.members(Object.keys(statuses));
    const { lines, charged }: OrderLedger = aLedgerThatIs('PAID');
    expect([lines?.[0]?.price_per_unit, charged?.toFixed()]).to.deep.equal([5, '0']);
  });

  it('refuses a status, a topic, a reason and a field that the saga does not have', () => {
    const doesNotCompile = [
      // @ts-expect-error no step leads there
      (): Status => 'LOST',
      // @ts-expect-error nothing is announced there
      (): Topic => 'order-lost',
      // @ts-expect-error nobody fails for that
      (): Reason => 'BECAUSE',
      // @ts-expect-error that is another saga's
      (): StatusOf<ReturnType<typeof parcels>> => 'CREATED',
      // @ts-expect-error no step learns it
      (ledger: OrderLedger) => ledger.weight,
      // @ts-expect-error an order may not have come so far
      (ledger: OrderLedger) => ledger.lines.length,
      // @ts-expect-error an unknown order fails for a reason of the saga
      () => defineSaga({ ...around, steps: [quote], unknownReason: 'BECAUSE' }),
    ];
    expect(doesNotCompile).to.have.length(7);
  });

  it('refuses a step where it does not learn what it needs', () => {
    const weightless: OrderKind<{ readonly owner: string }> = {
      ...order,
      schema: z.object({ owner: z.string() }),
    };
    const doesNotCompile = [
      // @ts-expect-error nobody learns the price
      () => defineSaga({ ...around, steps: [bill] }),
      // @ts-expect-error the price is learned too late
      () => defineSaga({ ...around, steps: [bill, quote] }),
      // @ts-expect-error the price is learned beside it
      () => defineSaga({ ...around, steps: [[quote, bill], other] }),
      // @ts-expect-error the step is for orders that have a weight
      () => defineSaga({ ...around, order: weightless, steps: [quote] }),
    ];
    expect(doesNotCompile).to.have.length(4);
  });

  it('refuses a step that does not do what it says', () => {
    const declared = {
      name: 'odd',
      leadsTo: 'ODD',
      announces: 'odd',
      says: 'the order is odd',
      uses: [tariffs],
      reads: ({ owner }: Order) => [tariffs.of(owner)],
      decide: () => accept({}),
      holds: () => [],
    } as const;
    const doesNotCompile = [
      // @ts-expect-error it has no such reason
      () => step({ ...declared, decide: () => refuse('BECAUSE', 'I say so') }),
      // @ts-expect-error it has a reason, but not that one
      () => step({ ...declared, refusals: ['NO'], decide: () => refuse('BECAUSE', 'I say so') }),
      // @ts-expect-error it learns nothing of what it says that it learns
      () => step({ ...declared, learns: { price }, decide: () => accept({}) }),
      // @ts-expect-error it learns something else
      () => step({ ...declared, learns: { price }, decide: () => accept({ price: '5' }) }),
      // @ts-expect-error it looks at what it does not say that it needs
      () => step({ ...declared, decide: ({ price }) => accept({ price }) }),
      // @ts-expect-error it holds because of what it does not know
      () => step({ ...declared, holds: ({ paid }) => [purses.of('x').amount(paid)] }),
      // @ts-expect-error a document of its kind has no such field
      () => step({ ...declared, decide: (_, read) => accept({ price: read(tariffs.of('x')).cheap }) }),
    ];
    expect(doesNotCompile).to.have.length(7);
  });

  it('takes a refusal for a reason that comes with a document which the step uses', () => {
    const strict = step({
      name: 'strict',
      leadsTo: 'CHECKED',
      announces: 'checked',
      says: 'the order is checked',
      refusals: ['TOO_HEAVY'],
      uses: [tariffs, purses],
      reads: ({ owner }) => [tariffs.of(owner)],
      decide: ({ weight }) => (weight > 9 ? refuse('TOO_HEAVY', 'No') : refuse('TOO_POOR', 'No')),
      holds: () => [],
    });
    const reasons: (typeof strict.reasons)[number][] = ['TOO_HEAVY', 'NO_TARIFF', 'NO_PURSE', 'TOO_POOR'];
    expect(strict.reasons).to.deep.equal(reasons);
  });
});
