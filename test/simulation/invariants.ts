/**
 * What must be true of the documents, whatever has happened. Written from the promise alone: it imports nothing of the
 * product, and reads the documents as anybody could. Each function names the faults that it finds, in sentences.
 */

// biome-ignore lint/suspicious/noExplicitAny: a checker believes nothing about what it checks.
export type Fields = Readonly<Record<string, any>>;
/** All documents by their paths. */
export type AllDocuments = ReadonlyMap<string, Fields>;

/** What was loaded before the first order. */
export interface Loaded {
  readonly items: Readonly<Record<string, { readonly quantity: number }>>;
  readonly users: Readonly<Record<string, { readonly credit?: number }>>;
}

/** Units are neither made nor lost: what is available and what is held for orders is what was loaded. */
export function stockFaults(documents: AllDocuments, { items }: Loaded): string[] {
  const held = new Map<string, number>();
  for (const [path, { quantity }] of documents) {
    const [collection, item = '', orders] = path.split('/');
    if (collection === 'inventory' && orders === 'orders') held.set(item, (held.get(item) ?? 0) + quantity);
  }
  return Object.entries(items).flatMap(([item, { quantity: loaded }]) => {
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
  for (const [path, invoice] of documents) {
    if (!path.startsWith('payments/')) continue;
    charged.set(invoice.user, (charged.get(invoice.user) ?? 0) + (invoice.charged ?? 0));
  }
  return Object.entries(users).flatMap(([user, { credit: granted }]) => {
    if (granted === undefined) return [];
    const left = documents.get(`users/${user}`)?.credit;
    const spent = charged.get(user) ?? 0;
    return [
      ...(Number.isInteger(left) && left >= 0 ? [] : [`${user} has a credit of ${left}`]),
      ...(left + spent === granted
        ? []
        : [`${user} has ${left} left and spent ${spent}, but was granted ${granted}`]),
    ];
  });
}

const LEGAL: Readonly<Record<string, readonly string[]>> = {
  RECEIVED: ['CREATED', 'FAILING'],
  CREATED: ['RESERVED', 'FAILING'],
  RESERVED: ['PAID', 'FAILING'],
  PAID: ['FAILING'],
  FAILING: ['CANCELED'],
  CANCELED: [],
};

const statusesOf = (ledger: Fields): string[] =>
  ledger.history.map((line: string) => line.split(' ')[1] ?? '');

/** A ledger only grows, by transitions that are allowed, and is never erased. */
export function transitionFaults(
  path: string,
  before: Fields | undefined,
  after: Fields | undefined,
): string[] {
  if (after === undefined) return [`${path} was erased`];
  const statuses = statusesOf(after);
  const faults: string[] = [];
  statuses.forEach((status, index) => {
    const previous = statuses[index - 1];
    const allowed = previous === undefined ? status === 'RECEIVED' : LEGAL[previous]?.includes(status);
    if (!allowed) faults.push(`${path} went from ${previous ?? 'nothing'} to ${status}`);
  });
  if (statuses.at(-1) !== after.status)
    faults.push(`${path} is ${after.status}, but became ${statuses.at(-1)}`);
  const isKept = (before?.history ?? []).every(
    (line: string, index: number) => after.history[index] === line,
  );
  if (!isKept) faults.push(`${path} forgot a part of its history`);
  return faults;
}

/** A record exists exactly where a ledger says so, and says the same as the ledger. */
export function recordFaults(documents: AllDocuments): string[] {
  const expected = new Map<string, string>();
  for (const [path, ledger] of documents) {
    const [collection, uuid = ''] = path.split('/');
    if (collection !== 'sagas' || ledger.status === 'CANCELED') continue;
    const done = statusesOf(ledger);
    const { user, items, total_invoice, charged } = ledger;
    const lines: Fields[] = items;
    if (done.includes('CREATED')) expected.set(`users/${user}/orders/${uuid}`, `${lines.length} lines`);
    if (done.includes('RESERVED')) {
      for (const { item, quantity, price_per_unit } of lines) {
        expected.set(`inventory/${item}/orders/${uuid}`, `${quantity} at ${price_per_unit}`);
      }
    }
    if (done.includes('PAID')) {
      const total = lines.reduce((sum, { quantity, price_per_unit }) => sum + quantity * price_per_unit, 0);
      expected.set(`payments/${uuid}`, `${total} of ${user}, charged ${charged}`);
      if (total !== total_invoice) expected.set(path, `a total of ${total}, not ${total_invoice}`);
    }
  }
  const actual = new Map<string, string>();
  for (const [path, record] of documents) {
    const [collection, , orders] = path.split('/');
    if (collection === 'users' && orders) actual.set(path, `${record.items.length} lines`);
    if (collection === 'inventory' && orders)
      actual.set(path, `${record.quantity} at ${record.price_per_unit}`);
    if (collection === 'payments') {
      actual.set(path, `${record.total_invoice} of ${record.user}, charged ${record.charged}`);
    }
  }
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((path) => {
    const [wanted, found] = [expected.get(path) ?? 'nothing', actual.get(path) ?? 'nothing'];
    return wanted === found ? [] : [`${path} holds ${found}, but its ledger calls for ${wanted}`];
  });
}

/** An order as its customer knows it. */
export interface AcceptedOrder {
  readonly uuid: string;
  readonly user: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
}

const recordPathsOf = ({ uuid, user, items }: AcceptedOrder): string[] => [
  `users/${user}/orders/${uuid}`,
  ...items.map(({ item }) => `inventory/${item}/orders/${uuid}`),
  `payments/${uuid}`,
];

/** An order that rests holds everything that it asked for or nothing at all, and nothing once its end was announced. */
export function holdingFaults(
  documents: AllDocuments,
  accepted: readonly AcceptedOrder[],
  announcedAsCanceled: ReadonlySet<string>,
): string[] {
  return accepted.flatMap((order) => {
    const paths = recordPathsOf(order);
    const found = paths.filter((path) => documents.has(path));
    if (found.length > 0 && announcedAsCanceled.has(order.uuid)) {
      return [`order ${order.uuid} was announced as canceled, but holds ${found.join(', ')}`];
    }
    return found.length === 0 || found.length === paths.length
      ? []
      : [`order ${order.uuid} holds only ${found.join(', ')}`];
  });
}

/** Every order that was accepted has reached one of its two ends. */
export function endFaults(documents: AllDocuments, accepted: readonly AcceptedOrder[]): string[] {
  const lost = accepted.filter(({ uuid }) => !documents.has(`sagas/${uuid}`));
  const standing = [...documents].filter(
    ([path, { status }]) => path.startsWith('sagas/') && status !== 'PAID' && status !== 'CANCELED',
  );
  return [
    ...lost.map(({ uuid }) => `order ${uuid} was accepted, but there is no ledger`),
    ...standing.map(([path, { status }]) => `${path} rests as ${status}`),
  ];
}
