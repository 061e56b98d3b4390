/**
 * What must be true of the documents, whatever has happened. Written from the promise alone: it imports nothing of the
 * product, and reads the documents as anybody could. Each function names the faults that it finds, in sentences.
 */

// biome-ignore lint/suspicious/noExplicitAny: a checker believes nothing about what it checks.
export type Fields = Readonly<Record<string, any>>;
/** All documents by their paths. */
export type AllDocuments = ReadonlyMap<string, Fields>;

/** The accounts before the first order, by collection and name. */
export interface Loaded {
  readonly inventory: Readonly<Record<string, { readonly quantity: number }>>;
  readonly users: Readonly<
    Record<string, { readonly credit?: number; readonly location?: { readonly lat: number } }>
  >;
}

/** The accounts, by their paths. Every other document but ledgers and dead letters is the record of an order. */
export const ACCOUNTS = /^(inventory|users|sales)\/[^/]+$/;

const CUSTOMER = /^users\/([^/]+)$/;

/** What operators changed of an item. */
const JOURNAL = /^inventory\/([^/]+)\/changes\/[^/]+$/;

/** All that holds of accounts and records at every moment, whatever is under way. */
export const bookFaults = (documents: AllDocuments, loaded: Loaded): string[] => [
  ...stockFaults(documents, loaded),
  ...moneyFaults(documents, loaded),
  ...salesFaults(documents),
  ...recordFaults(documents, loaded),
];

/** What left the stock for good is what is in parcels. */
function salesFaults(documents: AllDocuments): string[] {
  const sold = new Map<string, number>();
  for (const [path, { sold: counted, items }] of documents) {
    const [collection, name = ''] = path.split('/');
    if (collection === 'sales') sold.set(name, (sold.get(name) ?? 0) - counted);
    if (collection !== 'deliveries') continue;
    for (const { item, quantity } of items) sold.set(item, (sold.get(item) ?? 0) + quantity);
  }
  return [...sold].flatMap(([item, uncounted]) =>
    uncounted === 0 ? [] : [`of ${item}, ${uncounted} more are in parcels than were sold`],
  );
}

/** What a delivery costs: customers live straight north or south of the warehouse, and a kilometer costs 1. */
const KM_PER_DEGREE = 111.195;
const costOf = (location: { readonly lat: number } | undefined): number =>
  location === undefined ? 0 : Math.ceil(KM_PER_DEGREE * Math.abs(location.lat - 52.09));

/** Units are neither made nor lost: what is available and what is held for orders is what was loaded. */
export function stockFaults(documents: AllDocuments, { inventory }: Loaded): string[] {
  const held = new Map<string, number>();
  for (const [path, { quantity }] of documents) {
    const [collection, item = '', orders] = path.split('/');
    if (collection === 'inventory' && orders === 'orders') held.set(item, (held.get(item) ?? 0) + quantity);
  }
  const wholes = new Map(Object.entries(inventory).map(([item, { quantity }]) => [item, quantity]));
  for (const [path, { before, after }] of documents) {
    const item = JOURNAL.exec(path)?.[1];
    if (item !== undefined) wholes.set(item, (wholes.get(item) ?? 0) + after.loaded - (before?.loaded ?? 0));
  }
  return [...wholes].flatMap(([item, loaded]) => {
    const available = documents.get(`inventory/${item}`)?.quantity;
    const reserved = held.get(item) ?? 0;
    return [
      ...(Number.isInteger(available) && available >= 0 ? [] : [`of ${item}, ${available} are available`]),
      ...(available + reserved === loaded
        ? []
        : [
            `of ${item}, ${available} are available and ${reserved} held, ` +
              `${available + reserved > loaded ? 'more' : 'less'} than the ${loaded} that were loaded`,
          ]),
    ];
  });
}

/** Money is neither made nor lost: what is left of a credit and what was charged to it is what was granted. */
export function moneyFaults(documents: AllDocuments, { users }: Loaded): string[] {
  const charged = new Map<string, number>();
  const faults: string[] = [];
  for (const [path, invoice] of documents) {
    if (!path.startsWith('payments/')) continue;
    charged.set(invoice.user, (charged.get(invoice.user) ?? 0) + invoice.charged);
    // It is as it was before its customer was erased, and whose it was then, nothing tells.
    if (documents.get(`users/${invoice.user}`)?.erasedAs === invoice.user) continue;
    const customer = users[invoice.user];
    const isSkipped = isPaymentSkipped(documents.get(`sagas/${path.split('/')[1]}`));
    const cost = isSkipped ? 0 : costOf(customer?.location);
    if (invoice.delivery_cost !== cost)
      faults.push(`${path} has the delivery cost ${invoice.delivery_cost}, not ${cost}`);
    const due = isSkipped || customer?.credit === undefined ? 0 : invoice.total_invoice + cost;
    if (invoice.charged !== due) faults.push(`${path} was charged with ${invoice.charged}, not with ${due}`);
  }
  const pseudonyms = [...documents].flatMap(([path, { erasedAs, credit_limit }]) => {
    const user = CUSTOMER.exec(path)?.[1] ?? '';
    return erasedAs === user && !(user in users) ? [[user, credit_limit] as const] : [];
  });
  const grants = Object.entries(users).map(([user, { credit }]) => [user, credit] as const);
  for (const [user, granted] of [...grants, ...pseudonyms]) {
    const spent = charged.get(user) ?? 0;
    if (!documents.has(`users/${user}`) && spent === 0) continue;
    if (granted === undefined) continue;
    const left = documents.get(`users/${user}`)?.credit;
    if (!(Number.isInteger(left) && left >= 0)) faults.push(`${user} has credit ${left}`);
    if (left + spent !== granted) {
      faults.push(`${user} has ${left} left and spent ${spent}, but was granted ${granted}`);
    }
  }
  return faults;
}

/** The statuses through which an order succeeds, in their order. */
export const WAY = ['RECEIVED', 'CREATED', 'RESERVED', 'PAID', 'DELIVERING', 'RESUMED', 'DELIVERED'];
/** The status in which people decide what becomes of an order. */
export const WAITING = 'WAITING';
/** What a courier says is never too late, and people have a day. */
const NEVER_LATE = ['RESUMED', 'DELIVERED', 'FAILING', 'CANCELED'];
const DAY_MS = 86_400_000;

/** Who does which step; of an order that asked for orchestration, the orchestrator does each. */
const DOERS: Readonly<Record<string, string>> = {
  CREATED: 'order',
  WAITING: 'inventory',
  RESERVED: 'inventory',
  PAID: 'payments',
  DELIVERING: 'delivery',
  DELIVERED: 'delivery',
};

/** The two ends of an order, and the topic on which each is announced. */
const ENDS: Readonly<Record<string, string>> = { DELIVERED: 'order-delivered', CANCELED: 'order-canceled' };

/** Operators have stopped the order. */
export const PAUSED = 'PAUSED';
/** Where a step comes next, and operators may stop an order. */
const PAUSABLE = ['RECEIVED', 'CREATED', 'RESERVED', 'PAID', 'RESUMED'];

/** The way as if the order had never been paused: without each pause, and the status to which it went back. */
const passed = (way: readonly string[]): string[] =>
  way.filter((status, index) => status !== PAUSED && (way[index - 1] !== PAUSED || status === 'FAILING'));

/** Two statuses may follow each other: the one after the other on the way, or as people decide that the order waits. */
const DETOUR = ['CREATED WAITING', 'WAITING RESUMED', 'RESUMED RESERVED'];

/** From each status of its way, an order goes on or fails, and from a pause back or fails. It goes on to be delivered only from its delivery. */
function mayFollow(all: readonly string[], status: string): boolean {
  const way = passed(all);
  const [before, previous] = way.slice(-2).length === 2 ? way.slice(-2) : [undefined, way.at(-1)];
  if (all.at(-1) === PAUSED) return status === previous || status === 'FAILING';
  if (status === PAUSED) return PAUSABLE.includes(previous ?? '');
  if (previous === undefined) return status === WAY[0];
  if (previous === 'CANCELED') return false;
  if (previous === 'FAILING') return status === 'CANCELED';
  if (status === 'FAILING') return previous !== 'DELIVERED';
  if (previous === 'RESUMED') return status === (before === 'WAITING' ? 'RESERVED' : 'DELIVERED');
  return status === WAY[WAY.indexOf(previous) + 1] || DETOUR.includes(`${previous} ${status}`);
}

const statusesOf = (ledger: Fields): string[] =>
  ledger.history.map((line: string) => line.split(' ')[1] ?? '');

/** Operators may pass over the payment, whenever they like. An order that was paused and goes back to PAID is another thing. */
const isSkip = (statuses: readonly string[], index: number, by: string | undefined): boolean =>
  statuses[index] === 'PAID' && by === 'janitor' && statuses[index - 1] !== PAUSED;
const isPaymentSkipped = (ledger: Fields = { history: [] }): boolean =>
  ledger.history.some((line: string, index: number) => isSkip(statusesOf(ledger), index, line.split(' ')[2]));

const momentsOf = (ledger: Fields): number[] =>
  ledger.history.map((line: string) => Date.parse(line.slice(0, line.indexOf(' '))));

/** What a ledger never changes once it says it: what was asked, what a step has learned, how long a stage may take. */
const WRITTEN_ONCE = [
  'offered',
  'on_shortage',
  'mode',
  'uuid',
  'user',
  'items',
  'paymentError',
  'fail',
  'lines',
  'charged',
  'delivery_cost',
  'address',
  'deadlineSeconds',
  'forkOf',
];

/** What stands where something of an erased customer was, in the ledger of an order. Their name makes room for a pseudonym. */
const ERASED: Readonly<Record<string, string>> = {
  paymentError: 'null',
  address: 'erased',
  detail: 'erased',
};
/** Why nothing is left of a dead letter. */
const LETTER_ERASED = 'Its customer was erased';
const PSEUDONYM = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An order is rewritten only at rest, and only because its customer is erased. */
function rewritingFaults(path: string, before: Fields, after: Fields): string[] {
  const wrong = Object.keys({ ...before, ...after }).filter((field) => {
    const [was, is] = [before[field], after[field]];
    if (field === 'rewritten') return !is.includes(` ${before.status} order`);
    if (field === 'user') return is === was || !PSEUDONYM.test(is);
    return textOf(is) !== textOf(was === undefined ? was : (ERASED[field] ?? was));
  });
  return [
    ...(before.status in ENDS ? [] : [`${path} was rewritten as ${before.status}`]),
    ...wrong.map((field) => `${path} was rewritten to ${field} ${textOf(after[field])}`),
  ];
}

/** A customer is gone only after they were marked as to be erased, when no order holds anything of their credit. */
function customerFaults(path: string, before: Fields, after: Fields | undefined): string[] {
  if (before.erasedAs !== undefined && after !== undefined && after.erasedAs !== before.erasedAs)
    return [`${path} has the pseudonym ${after.erasedAs} instead of ${before.erasedAs}`];
  if (after !== undefined) return [];
  return before.erasedAs === undefined || before.credit !== before.credit_limit
    ? [`${path} is gone, and was ${textOf(before)}`]
    : [];
}

/** Nothing is left in which these customers are named. */
export const personalFaults = (documents: AllDocuments, erased: ReadonlySet<string>): string[] =>
  [...documents].flatMap(([path, fields]) =>
    [...erased].flatMap((user) =>
      new RegExp(`\\b${user}\\b`).test(`${path} ${textOf(fields)}`)
        ? [`${user} was erased, but there is ${path} with ${textOf(fields)}`]
        : [],
    ),
  );

/** What was written once stays as it was. Of a dead letter, only what becomes of it is noted, and what was sent stays sent. */
export function keepingFaults(path: string, before: Fields | undefined, after: Fields | undefined): string[] {
  if (before === undefined) return [];
  if (CUSTOMER.test(path)) return customerFaults(path, before, after);
  if (JOURNAL.test(path)) return [`${path} was changed`];
  // Without the customer who was erased, it is the same entry.
  if (path.startsWith('repairs/') && after?.id !== before.id) return [`${path} is gone`];
  if (!path.startsWith('dead-letters/')) return [];
  const isErased = after?.reason === LETTER_ERASED && before.reason !== LETTER_ERASED;
  const kept = ({ status: _, history: __, ...letter }: Fields) => {
    const { reason, attributes, body, encoding, bodyBytes, ...rest } = letter;
    return textOf(isErased ? rest : letter);
  };
  return [
    ...(after?.reason === LETTER_ERASED && after.body !== '' ? [`${path} is erased, but not emptied`] : []),
    ...(after === undefined || kept(before) !== kept(after) ? [`${path} is another letter than before`] : []),
    ...(before.status === 'redriven' && after?.status !== 'redriven' ? [`${path} was redriven before`] : []),
  ];
}

/**
 * An order fails as too late only once the fastest clock shows that it has stood too long. In its first stages, that is as long as
 * its ledger says; people have a day; and a courier may take any time.
 */
export function earlyFaults(
  path: string,
  before: Fields | undefined,
  after: Fields | undefined,
  latestMs: number,
): string[] {
  if (after === undefined || after.reason !== 'DEADLINE_EXCEEDED' || before?.reason !== undefined) return [];
  const statuses = statusesOf(after);
  const failed = statuses.indexOf('FAILING');
  // An order that never came fails as a message says: from before its documents were set back.
  if (failed <= 0) return [];
  const [previous = '', since = Number.NaN] = [statuses[failed - 1], momentsOf(after)[failed - 1]];
  const limitMs =
    previous === WAITING
      ? DAY_MS
      : previous === 'DELIVERING'
        ? Number.POSITIVE_INFINITY
        : 1000 * after.deadlineSeconds;
  return latestMs >= since + limitMs ? [] : [`${path} failed as too late, and no clock showed that it was`];
}

/** A ledger only grows, by transitions that are allowed, forward in time and before their deadline, and is never erased. */
export function transitionFaults(
  path: string,
  before: Fields | undefined,
  after: Fields | undefined,
): string[] {
  if (after === undefined) return [`${path} was erased`];
  const statuses = statusesOf(after);
  const moments = momentsOf(after);
  const faults: string[] = [];
  statuses.forEach((status, index) => {
    const previous = statuses[index - 1];
    if (!mayFollow(statuses.slice(0, index), status))
      faults.push(`${path} went from ${previous ?? 'nothing'} to ${status}`);
    const tookMs = (moments[index] ?? Number.NaN) - (moments[index - 1] ?? moments[index] ?? Number.NaN);
    if (!(tookMs >= 0)) faults.push(`${path} went back in time`);
    if (status === 'RESUMED' && previous === WAITING && tookMs >= DAY_MS)
      faults.push(`${path} was decided upon after its deadline`);
    if (
      ![...NEVER_LATE, PAUSED].includes(status) &&
      previous !== PAUSED &&
      !isSkip(statuses, index, after.history[index].split(' ')[2]) &&
      tookMs >= 1000 * after.deadlineSeconds
    ) {
      faults.push(`${path} became ${status} after its deadline`);
    }
  });
  if (statuses.at(-1) !== after.status)
    faults.push(`${path} is ${after.status}, but became ${statuses.at(-1)}`);
  const isKept = (before?.history ?? []).every(
    (line: string, index: number) => after.history[index] === line,
  );
  if (!isKept) faults.push(`${path} forgot a part of its history`);
  const moved: string[][] = after.history.map((line: string) => line.split(' ').slice(1));
  for (const [index, [status = '', by]] of moved.entries()) {
    // A paused order goes back to where it stood.
    if (moved[index - 1]?.[0] === PAUSED || isSkip(statuses, index, by)) continue;
    const doer = DOERS[status] && after.mode === 'orchestration' ? 'orchestrator' : DOERS[status];
    if (doer !== undefined && by !== doer) faults.push(`${path} became ${status} by ${by}, not by ${doer}`);
  }
  const isSkipped = isPaymentSkipped(after);
  if (isSkipped && (after.charged !== 0 || after.delivery_cost !== 0))
    faults.push(`${path} skipped its payment, but learned ${after.charged} and ${after.delivery_cost}`);
  if (after.fail !== undefined && after.status === WAY.at(-1) && !(isSkipped && after.fail === 'payments'))
    faults.push(`${path} is ${after.status}, but asked for ${after.fail} to fail`);
  const isRewritten = before !== undefined && before.rewritten !== after.rewritten;
  if (isRewritten) faults.push(...rewritingFaults(path, before, after));
  for (const field of isRewritten ? [] : WRITTEN_ONCE) {
    if (before && field in before && textOf(before[field]) !== textOf(after[field]))
      faults.push(`${path} has another ${field} than before`);
  }
  return [...faults, ...expiryFaults(path, after)];
}

/**
 * A fork is a copy of an order that has ended, up to where an operator lets it go on. Both name each other from its first commit
 * on, and of each such place there is one fork.
 */
export function forkFaults(
  documents: AllDocuments,
  {
    path,
    before,
    after,
  }: { readonly path: string } & Readonly<Record<'before' | 'after', Fields | undefined>>,
): string[] {
  const known = before?.forks ?? [];
  const news = (after?.forks ?? []).slice(known.length);
  const unknown = [
    ...known.filter((uuid: string, index: number) => after?.forks?.[index] !== uuid),
    ...news.filter((uuid: string) => `sagas/${documents.get(`sagas/${uuid}`)?.forkOf?.uuid}` !== path),
  ].map((uuid) => `${path} names its fork ${uuid} wrongly`);
  if (before !== undefined || after?.forkOf === undefined) return unknown;
  const origin = documents.get(`sagas/${after.forkOf.uuid}`);
  if (!(origin?.status in ENDS)) return [`${path} is the fork of an order that is ${origin?.status}`];
  const [went, goes] = [statusesOf(origin as Fields), statusesOf(after)];
  const start = goes.lastIndexOf(PAUSED) - 1;
  const isCopied = after.history
    .slice(0, start + 1)
    .every((line: string, at: number) => origin?.history[at] === line);
  const others = (origin?.forks ?? []).filter((uuid: string) => {
    const other = documents.get(`sagas/${uuid}`);
    return (
      uuid !== after.uuid && other?.history[start + 1]?.startsWith(`${other.forkOf.at.toISOString()} PAUSED`)
    );
  });
  return [
    ...unknown,
    ...(origin?.forks?.at(-1) === after.uuid ? [] : [`${path} is a fork that its origin does not name`]),
    ...(isCopied && start === went.indexOf(goes[start] ?? '') && goes.length === start + 3
      ? []
      : [`${path} is a fork with the way ${goes}, and its origin went ${went}`]),
    ...(others.length === 0 ? [] : [`${path} is the second fork from ${goes[start]}`]),
    ...WRITTEN_ONCE.filter(
      (field) =>
        !['uuid', 'forkOf'].includes(field) &&
        field in after &&
        textOf(after[field]) !== textOf(origin?.[field]),
    ).map((field) => `${path} is a fork with another ${field}`),
  ];
}

/** Longer than a message can wait: 31 days in its subscription, and 31 more on the dead-letter desk. */
const REDELIVERY_DAYS_MAX = 62;

/** A canceled order's ledger stays longer than any message of it can; every other one stays for ever. */
function expiryFaults(path: string, ledger: Fields): string[] {
  const { status, expireAt } = ledger;
  if (status !== 'CANCELED') return expireAt ? [`${path} is ${status}, but may be deleted`] : [];
  const staysMs =
    expireAt instanceof Date ? expireAt.getTime() - (momentsOf(ledger).at(-1) ?? 0) : Number.NaN;
  return staysMs > REDELIVERY_DAYS_MAX * 86_400_000
    ? []
    : [`${path} is CANCELED, and stays for ${staysMs} ms`];
}

const textOf = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

/** The same text for the same fields, in whichever order they are. */
const fieldsOf = (record: Fields): string =>
  textOf(Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1))));

const askedOf = (lines: readonly Fields[]): string =>
  textOf(lines.map(({ item, quantity }) => [item, quantity]));

/** The lines that an order holds: what was offered and is not yet agreed upon, what an amendment leaves of it, or all. */
function keptLines({ offered, lines, heard }: Fields, done: readonly string[]): Fields[] {
  if (!done.includes(WAITING)) return done.includes('RESERVED') ? lines : [];
  const { items } = heard?.inventory ?? {};
  if (items === undefined) return offered;
  return offered.flatMap((line: Fields) => {
    const left = items.find(({ item }: Fields) => item === line.item);
    return left === undefined ? [] : [{ ...line, quantity: left.quantity }];
  });
}

/** A record exists exactly where a ledger says so, and says the same as the ledger. */
function recordFaults(documents: AllDocuments, { users }: Loaded): string[] {
  const expected = new Map<string, string>();
  const faults: string[] = [];
  for (const [path, ledger] of documents) {
    const [collection, uuid = ''] = path.split('/');
    if (collection !== 'sagas' || ledger.status === 'CANCELED') continue;
    const done = statusesOf(ledger);
    const since = (status: string) => ledger.history[done.indexOf(status)].split(' ')[0];
    const { user, items, paymentError, lines, charged, delivery_cost, address } = ledger;
    if (done.includes('CREATED')) {
      expected.set(
        `users/${user}/orders/${uuid}`,
        fieldsOf({ items, paymentError, createdAt: since('CREATED') }),
      );
    }
    const kept = keptLines(ledger, done);
    for (const { item, quantity, price_per_unit } of kept) {
      expected.set(`inventory/${item}/orders/${uuid}`, fieldsOf({ quantity, price_per_unit }));
    }
    if (done.includes('RESERVED') && textOf(kept) !== textOf(lines))
      faults.push(`${path} reserves ${textOf(lines)}, but ${textOf(kept)} was agreed upon`);
    if (!done.includes(WAITING) && done.includes('RESERVED') && askedOf(lines) !== askedOf(items))
      faults.push(`${path} reserves ${askedOf(lines)}, but ${askedOf(items)} was asked for`);
    for (const { item, quantity } of kept) {
      const asked = items.find((line: Fields) => line.item === item)?.quantity ?? 0;
      if (!(quantity > 0 && quantity <= asked))
        faults.push(`${path} holds ${quantity} of ${item}, and ${asked} was asked for`);
    }
    if (done.includes('PAID')) {
      const total = lines.reduce(
        (sum: number, { quantity, price_per_unit }: Fields) => sum + quantity * price_per_unit,
        0,
      );
      expected.set(
        `payments/${uuid}`,
        fieldsOf({ user, total_invoice: total, delivery_cost, charged, createdAt: since('PAID') }),
      );
    }
    if (done.includes('DELIVERING')) {
      expected.set(
        `deliveries/${uuid}`,
        fieldsOf({
          user,
          address,
          items: lines.map(({ item, quantity }: Fields) => ({ item, quantity })),
          delivery_cost,
          createdAt: since('DELIVERING'),
        }),
      );
    }
  }
  const actual = new Map<string, string>();
  for (const [path, record] of documents) {
    const [collection = '', owner = '', isBelow, uuid] = path.split('/');
    if (
      ['sagas', 'dead-letters', 'repairs'].includes(collection) ||
      ACCOUNTS.test(path) ||
      JOURNAL.test(path)
    )
      continue;
    // A step that was at work while the customer was marked and erased has not seen that: its order fails at the next one.
    const isErasedMeanwhile =
      collection === 'users' && owner in users && !(documents.get(`sagas/${uuid}`)?.status in ENDS);
    if (isBelow && !documents.has(`${collection}/${owner}`) && !isErasedMeanwhile)
      faults.push(`${path} is there, but ${collection}/${owner} is not`);
    actual.set(path, fieldsOf(record));
  }
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const [wanted, found] = [expected.get(path) ?? 'nothing', actual.get(path) ?? 'nothing'];
    if (wanted !== found) faults.push(`${path} holds ${found}, but its ledger calls for ${wanted}`);
  }
  return faults;
}

/** An order as its customer knows it. */
export interface AcceptedOrder {
  readonly uuid: string;
  readonly user: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
}

const recordPathsOf = ({ uuid, user, items }: AcceptedOrder, ledger: Fields): string[] => [
  `users/${'rewritten' in ledger ? ledger.user : user}/orders/${uuid}`,
  // Where it waited, the order may hold less than it asked for.
  ...('offered' in ledger ? keptLines(ledger, statusesOf(ledger)) : items).map(
    ({ item }) => `inventory/${item}/orders/${uuid}`,
  ),
  `payments/${uuid}`,
  `deliveries/${uuid}`,
];

/**
 * An order that rests holds everything that it asked for or nothing at all, and nothing once its end was announced.
 * @param pathsOf everything that an order holds in the end.
 */
export function holdingFaults(
  documents: AllDocuments,
  accepted: readonly AcceptedOrder[],
  announcedAsCanceled: ReadonlySet<string>,
  pathsOf = recordPathsOf,
): string[] {
  return accepted.flatMap((order) => {
    const paths = pathsOf(order, documents.get(`sagas/${order.uuid}`) ?? {});
    const found = paths.filter((path) => documents.has(path));
    if (found.length > 0 && announcedAsCanceled.has(order.uuid)) {
      return [`order ${order.uuid} was announced as canceled, but holds ${found.join(', ')}`];
    }
    return found.length === 0 || found.length === paths.length
      ? []
      : [`order ${order.uuid} holds only ${found.join(', ')}`];
  });
}

/** The end of every order was announced to those who wait for it. */
export function silenceFaults(documents: AllDocuments, announced: ReadonlySet<string>): string[] {
  return [...documents].flatMap(([path, { status }]) => {
    const [collection, uuid] = path.split('/');
    const topic = ENDS[status] ?? 'its end';
    return collection !== 'sagas' || announced.has(`${uuid}/${topic}`)
      ? []
      : [`${path} is ${status}, and ${topic} was never published`];
  });
}

/** Every order that was accepted has reached one of its two ends. */
export function endFaults(documents: AllDocuments, accepted: readonly AcceptedOrder[]): string[] {
  const lost = accepted.filter(({ uuid }) => !documents.has(`sagas/${uuid}`));
  const standing = [...documents].filter(
    ([path, { status }]) => path.startsWith('sagas/') && !(status in ENDS),
  );
  return [
    ...lost.map(({ uuid }) => `order ${uuid} was accepted, but there is no ledger`),
    ...standing.map(([path, { status }]) => `${path} rests as ${status}`),
  ];
}
