import type { Data } from '../../data-init/load-data.ts';
import { reservationPath } from '../../inventory/documents.ts';
import { orderRecordPath } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import { type Saga, sagaPath } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { sameOrder } from '../../shop/order.ts';
import { mustBePaid, neverPaid, type PlannedOrder } from './orders.ts';
import type { World } from './world.ts';

/**
 * What became of a run, found out from the documents alone and without the product's own audit: two who count the same
 * books in two ways don't share a mistake.
 */
export interface Verdict {
  /** Accepted orders that are not there, or that have not come to their end. */
  readonly lost: readonly string[];
  /** Everything else that must not be. Each is a sentence. */
  readonly wrong: readonly string[];
}

/** What the world is held against. */
export interface Expectation {
  readonly loaded: Data;
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
}

export function judge(world: World, expectation: Expectation): Verdict {
  const sagas = [...world.sagas.values()];
  return {
    lost: lostOrders(world, expectation),
    wrong: [
      ...sagas.flatMap(wrongHistory),
      ...unannounced(world, expectation.heard).map((id) => `Nobody announced ${id}`),
      ...wrongOutcomes(world, expectation),
      ...wrongRecords(world, sagas),
      ...wrongStock(world, expectation.loaded),
      ...wrongCredit(world, expectation.loaded),
      ...wrongDeadLetters(world, expectation.poisonCount),
    ],
  };
}

function lostOrders({ sagas }: World, { accepted }: Expectation): string[] {
  const missing = [...accepted.keys()]
    .filter((uuid) => !sagas.has(sagaPath(uuid)))
    .map((uuid) => `Order ${uuid} was accepted and is not there`);
  const standing = [...sagas.values()]
    .filter((saga) => isStanding(saga))
    .map(({ uuid, status }) => `Order ${uuid} still is ${status}`);
  return [...missing, ...standing];
}

/** What the ledgers call for and nobody has heard, by its `ce-id`. */
export function unannounced({ sagas }: Pick<World, 'sagas'>, heard: ReadonlySet<string>): string[] {
  return [...sagas.values()]
    .map((saga) => messageFor(saga).attributes['ce-id'] ?? '')
    .filter((id) => !heard.has(id));
}

/** The ways an order can go, as the letters of its statuses. */
const WAYS =
  /^RECEIVED( FAILING( CANCELED)?| CREATED( FAILING( CANCELED)?| RESERVED( FAILING( CANCELED)?| PAID( FAILING( CANCELED)?)?)?)?)?$/;

function wrongHistory(saga: Saga): string[] {
  const way = transitionsOf(saga)
    .map(({ status }) => status)
    .join(' ');
  if (WAYS.test(way) && way.endsWith(saga.status)) return [];
  return [`Order ${saga.uuid} is ${saga.status} and went ${way}`];
}

function wrongOutcomes({ sagas }: World, expectation: Expectation): string[] {
  const { accepted, askedToCancel, canceled, mayExpire } = expectation;
  return [...accepted].flatMap(([uuid, planned]) => {
    const saga = sagas.get(sagaPath(uuid));
    if (saga === undefined) return [];
    const never = neverPaid(planned);
    const isExcused =
      (saga.reason === 'CANCELED_BY_CUSTOMER' && askedToCancel.has(uuid)) ||
      (saga.reason === 'DEADLINE_EXCEEDED' && mayExpire);
    return [
      ...(sameOrder(planned.order, saga) ? [] : [`Order ${uuid} is not the order that was placed`]),
      ...(saga.status === 'PAID' && never !== undefined ? [`Order ${uuid} is PAID, but ${never}`] : []),
      ...(saga.status === 'PAID' && canceled.has(uuid)
        ? [`Order ${uuid} is PAID, but was canceled by its customer`]
        : []),
      ...(saga.status === 'CANCELED' && mustBePaid(planned) && !isExcused
        ? [`Order ${uuid} is CANCELED for no good reason: ${saga.reason}, ${saga.detail}`]
        : []),
    ];
  });
}

/** Every record that the ledgers call for, as it must be, and no other. */
function wrongRecords(world: World, sagas: readonly Saga[]): string[] {
  const expected = new Map<Path, object>(sagas.filter(({ status }) => status === 'PAID').flatMap(recordsOf));
  const actual = new Map<Path, object>([
    ...[...world.orderRecords].map(([path, { items }]) => [path, { items }] as const),
    ...[...world.reservations].map(
      ([path, { quantity, price_per_unit }]) => [path, { quantity, price_per_unit }] as const,
    ),
    ...[...world.invoices].map(
      ([path, { user, total_invoice, charged }]) => [path, { user, total_invoice, charged }] as const,
    ),
  ]);
  const text = (record: object | undefined) => JSON.stringify(record) ?? 'nothing';
  return [...new Set([...expected.keys(), ...actual.keys()])]
    .filter((path) => text(expected.get(path)) !== text(actual.get(path)))
    .map((path) => `${path} must hold ${text(expected.get(path))}, and holds ${text(actual.get(path))}`);
}

function recordsOf({ uuid, user, items, charged }: Saga): [Path, object][] {
  const total = items.reduce(
    (sum, { quantity, price_per_unit = Number.NaN }) => sum + quantity * price_per_unit,
    0,
  );
  const asOrdered = items.map(({ item, quantity }) => ({ item, quantity }));
  return [
    [orderRecordPath(user, uuid), { items: asOrdered }],
    ...items.map(({ item, quantity, price_per_unit }): [Path, object] => [
      reservationPath(item, uuid),
      { quantity, price_per_unit },
    ]),
    [invoicePath(uuid), { user, total_invoice: total, charged: charged === undefined ? undefined : total }],
  ];
}

function wrongStock({ items, reservations }: World, { inventory }: Data): string[] {
  return Object.entries(inventory).flatMap(([item, { quantity: loaded }]) => {
    const left = items.get(`inventory/${item}`)?.quantity ?? Number.NaN;
    const held = sum(
      [...reservations]
        .filter(([path]) => path.startsWith(`inventory/${item}/`))
        .map(([, { quantity }]) => quantity),
    );
    return left >= 0 && left + held === loaded
      ? []
      : [`Of ${item}, ${loaded} were loaded, ${left} are left and ${held} reserved`];
  });
}

function wrongCredit({ users, invoices }: World, loaded: Data): string[] {
  return Object.entries(loaded.users).flatMap(([user, { credit: limit }]) => {
    const left = users.get(`users/${user}`)?.credit;
    const owed = [...invoices.values()].filter((invoice) => invoice.user === user);
    const charged = sum(owed.map((invoice) => invoice.charged ?? 0));
    const isRight =
      limit === undefined
        ? left === undefined && charged === 0
        : left !== undefined &&
          left >= 0 &&
          left + charged === limit &&
          charged === sum(owed.map(({ total_invoice }) => total_invoice));
    return isRight ? [] : [`The credit of ${user} was ${limit}, ${left} is left and ${charged} charged`];
  });
}

function wrongDeadLetters({ deadLetters }: World, poisonCount: number): string[] {
  if (deadLetters.size === poisonCount) return [];
  const letters = [...deadLetters.values()].map(
    ({ reason, subscription, body }) => `${subscription}: ${reason}: ${body}`,
  );
  return [`${poisonCount} dead letters were to be, not ${deadLetters.size}:\n${letters.join('\n')}`];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What differs between two moments at which nothing was to happen in between. */
export function differences(before: World, after: World): string[] {
  return Object.keys(before).flatMap((kind) => {
    const documentsBefore = before[kind as keyof World] as ReadonlyMap<Path, object>;
    const documentsAfter = after[kind as keyof World] as ReadonlyMap<Path, object>;
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
