import { isDeepStrictEqual } from 'node:util';
import type { Path } from '../../saga/ports/store.ts';
import {
  decisionOn,
  isBroughtBack,
  type Line,
  type Loaded,
  mustBePaid,
  neverPaid,
  type PlannedOrder,
  type Word,
} from './orders.ts';
import type { World } from './world.ts';

interface PricedLine extends Line {
  readonly price_per_unit: number;
}

/** What was asked is absent where a failure came before its order. */
export interface Ledger {
  readonly uuid: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  /** A line for each transition: its moment, the status, who acted. */
  readonly history: readonly string[];
  readonly user?: string;
  readonly items?: readonly Line[];
  readonly on_shortage?: string;
  readonly mode?: string;
  readonly paymentError?: string;
  readonly fail?: string;
  /** The word that each step has heard. */
  readonly heard?: Readonly<Record<string, Word>>;
  readonly offered?: readonly PricedLine[];
  readonly lines?: readonly PricedLine[];
  readonly charged?: number;
  readonly delivery_cost?: number;
  readonly address?: string;
}

/** What the accounts say, apart from what was loaded, and what the records say of which amounts are counted. */
interface User {
  readonly credit?: number;
}
interface Item {
  readonly quantity: number;
}
interface Reservation {
  readonly quantity: number;
}
interface Parcel {
  readonly items: readonly Line[];
}
interface Invoice {
  readonly user: string;
  readonly total_invoice: number;
  readonly delivery_cost: number;
  readonly charged: number;
}

/** The accounts, by their paths: every other document is a record. */
export const ACCOUNTS = /^(users|inventory|sales)\/[^/]+$/;

/**
 * What became of a run, found out from the documents alone. It is written by hand from what is promised, and uses neither the
 * product's audit nor its definition: two who count the same books in two ways don't share a mistake.
 */
export interface Verdict {
  /** Accepted orders that are not there, or that have not come to their end. */
  readonly lost: readonly string[];
  /** Everything else that must not be. Each is a sentence. */
  readonly wrong: readonly string[];
}

/** What the world is held against. */
export interface Expectation {
  readonly loaded: Loaded;
  readonly accepted: ReadonlyMap<string, PlannedOrder>;
  /** Orders that somebody asked to cancel, whatever the answer. */
  readonly askedToCancel: ReadonlySet<string>;
  /** Orders whose cancellation was accepted. */
  readonly canceled: ReadonlySet<string>;
  /** Whether an order may have missed its deadline. */
  readonly mayExpire: boolean;
  /** How many messages were published that nobody can process. */
  readonly poisonCount: number;
  /** The `ce-id` of every message that was heard. */
  readonly heard: ReadonlySet<string>;
  /** What people said to orders that waited, whatever the answer. */
  readonly said: ReadonlyMap<string, readonly Word[]>;
  /** What of that an order heeded, according to the answer. */
  readonly heeded: ReadonlyMap<string, readonly Word[]>;
}

/** The statuses through which an order succeeds, in their order, and those of one that fails; each is announced on a topic. */
export const WAY: Readonly<Record<string, string>> = {
  RECEIVED: 'frontend',
  CREATED: 'order-created',
  RESERVED: 'inventory-updated',
  PAID: 'payment-created',
  DELIVERING: 'delivery-started',
  RESUMED: 'order-resumed',
  DELIVERED: 'order-delivered',
};
/** Where people decide what becomes of an order, before it is reserved. */
const DETOUR: Readonly<Record<string, string>> = { WAITING: 'order-waiting' };
/** Where operators stop an order. Those of a run stop none. */
const STOP: Readonly<Record<string, string>> = { PAUSED: 'order-paused' };
/** Where an order stands in which something is to be done: if it is orchestrated, by the orchestrator. */
const DUE = ['RECEIVED', 'CREATED', 'RESERVED', 'PAID', 'RESUMED', 'FAILING'];
/** Who leads an order to which status, if it is not orchestrated. */
const DOERS: Readonly<Record<string, string>> = {
  CREATED: 'order',
  WAITING: 'inventory',
  RESERVED: 'inventory',
  PAID: 'payments',
  DELIVERING: 'delivery',
  DELIVERED: 'delivery',
};
const FAILURE: Readonly<Record<string, string>> = { FAILING: 'error', CANCELED: 'order-canceled' };
const SUCCESS = Object.keys(WAY).at(-1) ?? '';
const isAtRest = (status: string) => [SUCCESS, 'CANCELED'].includes(status);

export function judge(world: World, expectation: Expectation): Verdict {
  const ledgers = [...world.ledgers.values()];
  return {
    lost: lostOrders(world, expectation),
    wrong: [
      ...ledgers.flatMap(wrongHistory),
      ...ledgers.flatMap((ledger) => wrongWait(ledger, expectation)),
      ...ledgers.flatMap((ledger) => wrongKnowledge(ledger, expectation.loaded)),
      ...unannounced(world, expectation.heard).map((id) => `Nobody announced ${id}`),
      ...wrongOutcomes(world, expectation),
      ...wrongRecords(world, expectation.loaded),
      ...wrongStock(world, expectation.loaded),
      ...wrongCredit(world, expectation.loaded),
      ...wrongSales(world),
      ...wrongDeadLetters(world, expectation.poisonCount),
    ],
  };
}

const ledgerOf = ({ ledgers }: Pick<World, 'ledgers'>, uuid: string) => ledgers.get(`sagas/${uuid}`);

function lostOrders(world: World, { accepted }: Expectation): string[] {
  const missing = [...accepted.keys()]
    .filter((uuid) => ledgerOf(world, uuid) === undefined)
    .map((uuid) => `Order ${uuid} was accepted and is not there`);
  const standing = [...world.ledgers.values()]
    .filter(({ status }) => !isAtRest(status))
    .map(({ uuid, status }) => `Order ${uuid} still is ${status}`);
  return [...missing, ...standing];
}

/** What the ledgers call for and nobody has heard, by its `ce-id`. */
export function unannounced({ ledgers }: Pick<World, 'ledgers'>, heard: ReadonlySet<string>): string[] {
  return [...ledgers.values()].map(factOf).filter((id) => !heard.has(id));
}

/** What a ledger calls for. On some topics there may be several facts of an order: the first has no number, a step has its own. */
function factOf(ledger: Ledger): string {
  const { uuid, status, mode, history } = ledger;
  if (mode === 'orchestration' && DUE.includes(status)) return `${uuid}/workflow/${history.length}`;
  const topic =
    WAY[status] ?? DETOUR[status] ?? STOP[status] ?? FAILURE[status] ?? `what ${status} calls for`;
  const times = wayOf(ledger).filter((one) => one === status).length;
  return times > 1 ? `${uuid}/${topic}/${times}` : `${uuid}/${topic}`;
}

/** Whether an order can go this way: some of the way to success, and from anywhere there to its failure. */
function isWay(statuses: readonly string[]): boolean {
  const way = Object.keys(WAY);
  const decided = way.indexOf('RESERVED');
  const forward = statuses.includes('WAITING') ? way.toSpliced(decided, 0, 'WAITING', 'RESUMED') : way;
  const done = statuses.filter((status) => !(status in FAILURE));
  const ways = [[], ['FAILING'], ['FAILING', 'CANCELED']].map((failure) => [
    ...forward.slice(0, Math.max(1, done.length)),
    ...failure,
  ]);
  return ways.some((way) => isDeepStrictEqual(way, statuses));
}

const wayOf = ({ history }: Ledger): string[] => history.map((line) => line.split(' ')[1] ?? '');

function wrongHistory(ledger: Ledger): string[] {
  const way = wayOf(ledger);
  const { uuid, status, mode, history } = ledger;
  const others = history.filter((line) => {
    const [, to = '', by] = line.split(' ');
    return to in DOERS && by !== (mode === 'orchestration' ? 'orchestrator' : DOERS[to]);
  });
  return [
    ...(isWay(way) && way.at(-1) === status ? [] : [`Order ${uuid} is ${status} and went ${way.join(' ')}`]),
    ...others.map((line) => `Order ${uuid} is ${mode ?? 'choreographed'}, but there is ${line}`),
  ];
}

const gaveUp = (ledger: Ledger): boolean => wayOf(ledger).join(' ').includes('WAITING FAILING');

/** Whether the order gave up because people had nothing to say to it. */
const isLeftAlone = (ledger: Ledger): boolean =>
  gaveUp(ledger) && ledger.reason === 'DEADLINE_EXCEEDED' && decisionOn(ledger.uuid) === 'silence';

/** An order waits only if it asks; it heeds one word of those that were said, and only silence makes it give up. */
function wrongWait(ledger: Ledger, { said, heeded, askedToCancel }: Expectation): string[] {
  const { uuid, on_shortage, reason, heard: { inventory: heard } = {} } = ledger;
  const isHeard = (word: Word) => isDeepStrictEqual(word, heard);
  const contradicted = (heeded.get(uuid) ?? []).filter((word) => !isHeard(word));
  const isExcused = (reason === 'CANCELED_BY_CUSTOMER' && askedToCancel.has(uuid)) || isLeftAlone(ledger);
  return [
    ...(wayOf(ledger).includes('WAITING') && on_shortage !== 'ask'
      ? [`Order ${uuid} waited, but did not ask for that`]
      : []),
    ...(heard === undefined || said.get(uuid)?.some(isHeard)
      ? []
      : [`Order ${uuid} has heard ${text(heard)}, which nobody said`]),
    ...contradicted.map(
      (word) => `Order ${uuid} answered that it heeds ${text(word)}, but has heard ${text(heard)}`,
    ),
    ...(gaveUp(ledger) && !isExcused
      ? [`Order ${uuid} waited and gave up for no good reason: ${reason}`]
      : []),
  ];
}

/** The lines of an order, each at the price that was loaded: nobody changes a price while a run goes on. */
const pricedLines = ({ items = [] }: Ledger, { inventory }: Loaded): PricedLine[] =>
  items.map(({ item, quantity }) => ({
    item,
    quantity,
    price_per_unit: inventory[item]?.price_per_unit ?? Number.NaN,
  }));

/** What is reserved: everything, or of what was offered to people, what they left of it. */
function keptLines(ledger: Ledger, loaded: Loaded): PricedLine[] {
  if (!wayOf(ledger).includes('WAITING')) return pricedLines(ledger, loaded);
  const { offered = [], heard: { inventory: { items } = {} } = {} } = ledger;
  if (items === undefined) return [...offered];
  return offered.flatMap((line) => {
    const quantity = items.find(({ item }) => item === line.item)?.quantity;
    return quantity === undefined ? [] : [{ ...line, quantity }];
  });
}

/** Whether that is a part of the order, at the price of each item: what was there when it asked. */
function isPart(offered: readonly PricedLine[], ledger: Ledger, loaded: Loaded): boolean {
  const asked = pricedLines(ledger, loaded);
  const isOf = (line: PricedLine) =>
    asked.some(
      ({ quantity, ...rest }) =>
        isDeepStrictEqual({ ...rest, quantity: line.quantity }, line) &&
        line.quantity > 0 &&
        line.quantity <= quantity,
    );
  return offered.length > 0 && offered.every(isOf) && totalOf(offered) < totalOf(asked);
}

const totalOf = (lines: readonly PricedLine[]): number =>
  sum(lines.map(({ quantity, price_per_unit }) => quantity * price_per_unit));

/** What the delivery costs: customers live straight north of the warehouse, at 52.09 degrees, and a kilometer costs 1. */
const KM_PER_DEGREE = 111.195;
const costOf = ({ user }: Ledger, { users }: Loaded): number => {
  const { lat } = users[user ?? '']?.location ?? { lat: 52.09 };
  return Math.ceil(KM_PER_DEGREE * Math.abs(lat - 52.09));
};

/** What is taken from the customer's credit: nothing where there is no limit. */
const chargeOf = (ledger: Ledger, loaded: Loaded): number =>
  loaded.users[ledger.user ?? '']?.credit === undefined
    ? 0
    : totalOf(keptLines(ledger, loaded)) + costOf(ledger, loaded);

/** The prices and the charge must be known from the step on that found them out, and not before. */
function wrongKnowledge(ledger: Ledger, loaded: Loaded): string[] {
  const way = wayOf(ledger);
  const { offered = [] } = ledger;
  const offer = isPart(offered, ledger, loaded) ? offered : 'a part of the order';
  const expected = {
    offered: way.includes('WAITING') ? offer : undefined,
    lines: way.includes('RESERVED') ? keptLines(ledger, loaded) : undefined,
    charged: way.includes('PAID') ? chargeOf(ledger, loaded) : undefined,
    delivery_cost: way.includes('PAID') ? costOf(ledger, loaded) : undefined,
    address: way.includes('DELIVERING') ? loaded.users[ledger.user ?? '']?.address : undefined,
  };
  const known = Object.fromEntries(
    Object.keys(expected).map((field) => [field, ledger[field as keyof Ledger]]),
  );
  return isDeepStrictEqual(known, expected)
    ? []
    : [`Order ${ledger.uuid} must know ${text(expected)}, and knows ${text(known)}`];
}

const text = (value: object | undefined): string => JSON.stringify(value) ?? 'nothing';

function wrongOutcomes(world: World, expectation: Expectation): string[] {
  const { accepted, askedToCancel, canceled, mayExpire } = expectation;
  return [...accepted].flatMap(([uuid, planned]) => {
    const ledger = ledgerOf(world, uuid);
    if (ledger === undefined) return [];
    const { status, reason, detail } = ledger;
    const { order } = planned;
    const isAsPlaced = isDeepStrictEqual(askedIn(ledger), askedIn(order));
    const never = neverPaid(planned);
    const isExcused =
      (reason === 'DELIVERY_CANCELED' && isBroughtBack(uuid)) ||
      (reason === 'CANCELED_BY_CUSTOMER' && askedToCancel.has(uuid)) ||
      (reason === 'DEADLINE_EXCEEDED' && mayExpire) ||
      isLeftAlone(ledger);
    return [
      ...(isAsPlaced ? [] : [`Order ${uuid} is not the order that was placed`]),
      ...(status === SUCCESS && never !== undefined ? [`Order ${uuid} is ${status}, but ${never}`] : []),
      ...(status === SUCCESS && canceled.has(uuid)
        ? [`Order ${uuid} is ${status}, but was canceled by its customer`]
        : []),
      ...(status === SUCCESS && isBroughtBack(uuid)
        ? [`Order ${uuid} is ${status}, but its courier brought the parcel back`]
        : []),
      ...(status === 'CANCELED' && mustBePaid(planned) && !isExcused
        ? [`Order ${uuid} is CANCELED for no good reason: ${reason}, ${detail}`]
        : []),
    ];
  });
}

/** What a customer says of an order. */
type Asked = Pick<Ledger, 'user' | 'items' | 'on_shortage' | 'mode' | 'paymentError' | 'fail'>;
const askedIn = ({ user, items, on_shortage, mode, paymentError, fail }: Asked): object => ({
  ...{ user, items, on_shortage, mode, paymentError, fail },
});

/** Every record that the ledgers call for, as it must be, and no other. */
function wrongRecords(world: World, loaded: Loaded): string[] {
  const paid = [...world.ledgers.values()].filter(({ status }) => status === SUCCESS);
  const expected = new Map<Path, object>(paid.flatMap((ledger) => recordsOf(ledger, loaded)));
  const actual = new Map<Path, object>([...world.documents].filter(([path]) => !ACCOUNTS.test(path)));
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((path) => !isDeepStrictEqual(actual.get(path), expected.get(path)))
    .map((path) => `${path} must hold ${text(expected.get(path))}, and holds ${text(actual.get(path))}`);
}

/** What the records of a paid order say, and nothing besides. */
function recordsOf(ledger: Ledger, loaded: Loaded): [Path, object][] {
  const { uuid, user, items, paymentError } = ledger;
  const lines = keptLines(ledger, loaded);
  const asOrdered = { items, ...(paymentError !== undefined && { paymentError }) };
  return [
    [`users/${user}/orders/${uuid}`, { ...asOrdered, createdAt: momentOf(ledger, 'CREATED') }],
    ...lines.map(({ item, quantity, price_per_unit }): [Path, object] => [
      `inventory/${item}/orders/${uuid}`,
      { quantity, price_per_unit },
    ]),
    [
      `payments/${uuid}`,
      {
        user,
        total_invoice: totalOf(lines),
        delivery_cost: costOf(ledger, loaded),
        charged: chargeOf(ledger, loaded),
        createdAt: momentOf(ledger, 'PAID'),
      },
    ],
    [
      `deliveries/${uuid}`,
      {
        user,
        address: loaded.users[user ?? '']?.address,
        items: lines.map(({ item, quantity }) => ({ item, quantity })),
        delivery_cost: costOf(ledger, loaded),
        createdAt: momentOf(ledger, 'DELIVERING'),
      },
    ],
  ];
}

/** When the order came to this status. */
const momentOf = ({ history }: Ledger, status: string): Date =>
  new Date(history.find((line) => line.split(' ')[1] === status)?.split(' ')[0] ?? '');

/** All documents below a path, as what they should be. */
const below = <T>({ documents }: World, path: Path): T[] =>
  [...documents].flatMap(([one, fields]) => (one.startsWith(`${path}/`) ? [fields as T] : []));

function wrongStock(world: World, { inventory }: Loaded): string[] {
  return Object.entries(inventory).flatMap(([item, { quantity: loaded }]) => {
    const path = `inventory/${item}`;
    const left = (world.documents.get(path) as Item | undefined)?.quantity ?? Number.NaN;
    const held = sum(below<Reservation>(world, path).map(({ quantity }) => quantity));
    return left >= 0 && left + held === loaded
      ? []
      : [`Of ${item}, ${loaded} were loaded, ${left} are left and ${held} reserved`];
  });
}

function wrongCredit(world: World, loaded: Loaded): string[] {
  const invoices = below<Invoice>(world, 'payments');
  return Object.entries(loaded.users).flatMap(([user, { credit: limit }]) => {
    const left = (world.documents.get(`users/${user}`) as User | undefined)?.credit;
    const owed = invoices.filter((invoice) => invoice.user === user);
    const charged = sum(owed.map((invoice) => invoice.charged));
    const isRight =
      limit === undefined
        ? left === undefined && charged === 0
        : left !== undefined &&
          left >= 0 &&
          left + charged === limit &&
          charged === sum(owed.map(({ total_invoice, delivery_cost }) => total_invoice + delivery_cost));
    return isRight ? [] : [`The credit of ${user} was ${limit}, ${left} is left and ${charged} charged`];
  });
}

/** What was counted as sold is what is in parcels. */
function wrongSales(world: World): string[] {
  const lines = below<Parcel>(world, 'deliveries').flatMap(({ items }) => items);
  const counted = [...world.documents].flatMap(([path, fields]) =>
    path.startsWith('sales/')
      ? [[path.slice('sales/'.length), (fields as { sold: number }).sold] as const]
      : [],
  );
  const items = new Set([...lines.map(({ item }) => item), ...counted.map(([item]) => item)]);
  return [...items].flatMap((item) => {
    const sent = sum(lines.filter((line) => line.item === item).map(({ quantity }) => quantity));
    const sold = counted.find(([name]) => name === item)?.[1] ?? 0;
    return sold === sent ? [] : [`Of ${item}, ${sold} were sold, and ${sent} are in parcels`];
  });
}

/** What a courier says of an order that was canceled meanwhile, people must see, too. */
function wrongDeadLetters(world: World, poisonCount: number): string[] {
  const letters = [...world.deadLetters.values()].filter(
    ({ subscription, body }) =>
      subscription !== 'delivery-updates-sub' ||
      ledgerOf(world, (JSON.parse(body) as { uuid: string }).uuid)?.status !== 'CANCELED',
  );
  if (letters.length === poisonCount) return [];
  const told = letters.map(({ reason, subscription, body }) => `${subscription}: ${reason}: ${body}`);
  return [`${poisonCount} dead letters were to be, not ${letters.length}:\n${told.join('\n')}`];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What differs between two moments at which nothing was to happen in between. */
export function differences(before: World, after: World): string[] {
  return Object.keys(before).flatMap((kind) => {
    const documentsBefore: ReadonlyMap<Path, object> = before[kind as keyof World];
    const documentsAfter: ReadonlyMap<Path, object> = after[kind as keyof World];
    return [...new Set([...documentsBefore.keys(), ...documentsAfter.keys()])]
      .map((path) => ({
        path,
        was: JSON.stringify(documentsBefore.get(path)),
        is: JSON.stringify(documentsAfter.get(path)),
      }))
      .filter(({ was, is }) => was !== is)
      .map(({ path, was, is }) => `The replay changed ${path} from ${was} to ${is}`);
  });
}
