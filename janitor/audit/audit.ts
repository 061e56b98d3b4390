import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { itemPath, itemSchema } from '../../inventory/documents.ts';
import { userPath, userSchema } from '../../order/documents.ts';
import { invoicePath } from '../../payments/documents.ts';
import { messageFor } from '../../saga/deliver/message.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { lastTransition } from '../../saga/ledger/history.ts';
import { type Saga, type Status, sagaPath, TOMBSTONE_DAYS } from '../../saga/ledger/ledger.ts';
import type { Path, Snapshot, StoredDocument } from '../../saga/ports/store.ts';
import { isName } from '../../shop/order.ts';
import type { DeadLetter } from '../desk/letter.ts';
import { type AuditReport, BoundedList, type StuckOrder, type Violation } from './audit-report.ts';
import { Books } from './books.ts';
import { checkLedger, schemaFaults } from './check-ledger.ts';
import { type ExpectedRecord, expectedRecords } from './expected-records.ts';

/** How many documents are scanned, and read, at once. */
const PAGE_SIZE = 500;
const READ_SIZE = 500;
/** A dead letter may have 256 KiB. */
const LETTERS_PAGE_SIZE = 20;
/** After so many re-drives an order is shown as stuck, although its deadline has not passed. */
const REDRIVES_MAX = 3;
const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * A ledger may expire so long after its order came to rest, which a paid one did as its invoice was made. A day is left
 * for clocks that differ.
 */
const LEDGER_MS = (TOMBSTONE_DAYS - 1) * DAY_MS;

/**
 * Proves that stock, money and records are what the ledgers say, on one snapshot, so that orders may go on meanwhile.
 * Every ledger is read together with the records that it names, and every record together with the ledger that it
 * belongs to. What is held in memory grows with items and customers, never with orders.
 * @param now about when the snapshot was taken.
 * @param onProgress is told now and then how many documents have been checked, and waited for.
 * @throws StoreError where the snapshot can't be read.
 */
export async function audit(
  snapshot: Snapshot,
  now: Date,
  onProgress: (checkedCount: number) => void | Promise<void> = () => {},
): Promise<AuditReport> {
  const findings = new Findings();
  const { books, counts } = findings;
  let checkedCount = 0;

  /** Hands over all documents of a kind that stand at the given place, page by page. */
  async function scan(
    collection: string,
    isOurs: (names: readonly string[]) => boolean,
    check: (page: readonly StoredDocument[]) => void | Promise<void>,
    limit = PAGE_SIZE,
  ): Promise<void> {
    let after: Path | undefined;
    for (;;) {
      const page = await snapshot.scan({ collection, limit, ...(after && { after }) });
      const ours = page.filter(({ path }) => isOurs(path.split('/')));
      await check(ours);
      checkedCount += page.length;
      await onProgress(checkedCount);
      after = page.at(-1)?.path;
      if (page.length < limit) return;
    }
  }

  const atTop = (names: readonly string[]) => names.length === 2;
  const belowItemOrUser = ([room, , , ...rest]: readonly string[]) =>
    (room === 'users' || room === 'inventory') && rest.length === 1;

  await scan('inventory', atTop, (page) => {
    counts.items += page.length;
    for (const document of page) enterItem(document, findings);
  });
  await scan('users', atTop, (page) => {
    counts.users += page.length;
    for (const document of page) enterUser(document, findings);
  });
  await Promise.all([
    scan('sagas', atTop, async (page) => {
      const sagas = page.flatMap((document) => believable(document, findings));
      counts.orders += page.length;
      const expected = sagas.map((saga) => ({ saga, records: expectedRecords(saga) }));
      const found = await readAll(
        snapshot,
        expected.flatMap(({ records }) => records.map(({ path }) => path)),
      );
      for (const { saga, records } of expected) {
        counts.byStatus[saga.status] = (counts.byStatus[saga.status] ?? 0) + 1;
        for (const record of records) checkRecord(saga, record, found.get(record.path), findings);
        if (isStuck(saga, now)) findings.stuck.add(stuckOrder(saga));
      }
    }),
    scan('orders', belowItemOrUser, async (page) => {
      for (const { path, fields } of page) {
        if (!path.startsWith('inventory/')) {
          counts.orderRecords++;
          continue;
        }
        counts.reservations++;
        const parsed = reservationSchema.safeParse(fields);
        const item = parentOf(path);
        parsed.success ? books.hold(item, parsed.data.quantity) : books.doubt(item);
      }
      await checkOwners(page, snapshot, now, findings);
    }),
    scan('payments', atTop, async (page) => {
      counts.invoices += page.length;
      for (const { fields } of page) {
        const parsed = invoiceSchema.safeParse(fields);
        if (parsed.success) books.hold(userPath(parsed.data.user), parsed.data.charged ?? 0);
      }
      await checkOwners(page, snapshot, now, findings);
    }),
    scan(
      'dead-letters',
      atTop,
      (page) => {
        counts.deadLettersParked += page.filter(({ fields }) => isParked(fields)).length;
      },
      LETTERS_PAGE_SIZE,
    ),
  ]);
  for (const imbalance of books.imbalances()) findings.violations.add({ kind: 'total', ...imbalance });
  return findings.report(now);
}

/** What has been found so far. */
class Findings {
  readonly books = new Books();
  readonly violations = new BoundedList<Violation>();
  readonly stuck = new BoundedList<StuckOrder>();
  readonly notices = new BoundedList<string>();
  readonly counts = {
    orders: 0,
    byStatus: {} as Partial<Record<Status, number>>,
    items: 0,
    users: 0,
    orderRecords: 0,
    reservations: 0,
    invoices: 0,
    deadLettersParked: 0,
  };

  /** The passes run side by side; a report is in the order of the documents. */
  report(checkedAt: Date): AuditReport {
    const { violations, stuck, notices, counts } = this;
    return {
      checkedAt,
      counts,
      violations: violations.listed.toSorted((one, other) => compare(one.path, other.path)),
      violationCount: violations.count,
      stuck: stuck.listed,
      stuckCount: stuck.count,
      notices: notices.listed,
      noticeCount: notices.count,
    };
  }
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const amount = z.int().min(0);
/** An order record counts for nothing in the books. */
const orderRecordSchema = z.object({ createdAt: z.date() });
const reservationSchema = z.object({ quantity: z.int().min(1), price_per_unit: amount });
const invoiceSchema = z.object({
  user: z.string().refine(isName),
  total_invoice: amount,
  charged: amount.exactOptional(),
  createdAt: z.date(),
});

function enterItem({ path, fields }: StoredDocument, { books, violations, notices }: Findings): void {
  const parsed = itemSchema.safeParse(fields);
  if (!parsed.success) {
    violations.add(malformed(path, parsed.error));
    books.enter(path, undefined);
    return;
  }
  const { quantity: left, loaded: whole, corrections = 0 } = parsed.data;
  books.enter(path, { field: 'quantity', left, whole, corrections });
  if (whole === undefined) notices.add(`${path} does not say how much was loaded, so it can't be audited`);
}

function enterUser({ path, fields }: StoredDocument, { books, violations, notices }: Findings): void {
  const parsed = userSchema.safeParse(fields);
  if (!parsed.success) {
    violations.add(malformed(path, parsed.error));
    books.enter(path, undefined);
    return;
  }
  const { credit: left, credit_limit: whole, corrections = 0 } = parsed.data;
  books.enter(path, left === undefined ? undefined : { field: 'credit', left, whole, corrections });
  if (left !== undefined && whole === undefined) {
    notices.add(`${path} has a credit, but does not say of which limit, so it can't be audited`);
  }
}

const malformed = (path: Path, error: z.ZodError): Violation => ({
  kind: 'document',
  path,
  sentence: `${path} is malformed: ${schemaFaults(error).join('; ')}`,
});

/** The ledger, unless something is wrong with it in itself: then its records are not held against it as well. */
function believable({ path, fields }: StoredDocument, { books, violations }: Findings): Saga[] {
  const checked = checkLedger(lastName(path), fields);
  if ('saga' in checked) return [checked.saga];
  violations.add({
    kind: 'ledger',
    path,
    sentence: `The ledger ${path} can't be right: ${checked.faults.join('; ')}`,
  });
  for (const counter of countersNamedIn(fields)) books.doubt(counter);
  return [];
}

/** The item and the customer that a ledger or a record names, whatever else is wrong with it. */
function countersNamedIn(fields: object): Path[] {
  const { user, items } = fields as { user?: unknown; items?: unknown };
  const lines: unknown[] = Array.isArray(items) ? items : [];
  return [
    ...lines.flatMap((line) => nameIn((line as { item?: unknown } | null)?.item).map(itemPath)),
    ...nameIn(user).map(userPath),
  ];
}

const nameIn = (value: unknown): string[] => (typeof value === 'string' && isName(value) ? [value] : []);

/** Whether a record that must be there is, and says what its ledger says. What else it says is nobody's business. */
function checkRecord(
  { uuid, status }: Saga,
  { path, fields }: ExpectedRecord,
  found: object | undefined,
  { books, violations }: Findings,
): void {
  const differing = Object.entries(fields).filter(
    ([field, value]) => !isDeepStrictEqual((found as Record<string, unknown> | undefined)?.[field], value),
  );
  if (differing.length === 0) return;
  const record = `Order ${uuid} is ${status}, but its ${roomOf(path)} ${path}`;
  violations.add(
    found === undefined
      ? { kind: 'missing-record', path, uuid, status, sentence: `${record} is missing` }
      : {
          kind: 'wrong-record',
          path,
          uuid,
          status,
          sentence: `${record} has another ${differing.map(([field]) => field).join(', ')} than its ledger`,
        },
  );
  for (const counter of [...countersOf(path, fields), ...countersNamedIn(found ?? {})]) books.doubt(counter);
}

/** Whether each record belongs to a ledger that says so, or to one that has expired. */
async function checkOwners(
  page: readonly StoredDocument[],
  snapshot: Snapshot,
  now: Date,
  { books, violations }: Findings,
): Promise<void> {
  const ledgers = await readAll(
    snapshot,
    page.map(({ path }) => sagaPath(lastName(path))),
  );
  const ownerOf = (path: Path) => ledgers.get(sagaPath(lastName(path)));
  const ownerless = page.filter(({ path }) => ownerOf(path) === undefined);
  const invoices = await readAll(
    snapshot,
    ownerless.map(({ path }) => invoicePath(lastName(path))),
  );
  for (const { path, fields } of page) {
    const uuid = lastName(path);
    const owner = ownerOf(path);
    const stray = { kind: 'stray-record', path, uuid } as const;
    const doubt = () => {
      for (const counter of countersOf(path, fields)) books.doubt(counter);
    };
    if (owner === undefined) {
      if (hasExpired(invoices.get(invoicePath(uuid)), now)) {
        const schema = schemaOf(path).safeParse(fields);
        if (!schema.success) violations.add(malformed(path, schema.error));
        continue;
      }
      const sentence = `The ${roomOf(path)} ${path} belongs to no order: there is no ledger ${sagaPath(uuid)}`;
      violations.add({ ...stray, sentence });
      doubt();
      continue;
    }
    const checked = checkLedger(uuid, owner);
    // A ledger that can't be right is a violation itself; what belongs to it, nobody can tell.
    if (!('saga' in checked)) {
      doubt();
      continue;
    }
    const { saga } = checked;
    if (expectedRecords(saga).some((expected) => expected.path === path)) continue;
    const sentence = `Order ${uuid} is ${saga.status} and has no ${roomOf(path)} ${path}, but there it is`;
    violations.add({ ...stray, status: saga.status, sentence });
    doubt();
  }
}

/** The records of an order that was paid stay, its ledger does not; its invoice then is as old as a ledger becomes. */
function hasExpired(invoice: object | undefined, now: Date): boolean {
  const parsed = invoiceSchema.safeParse(invoice);
  return parsed.success && now.getTime() - parsed.data.createdAt.getTime() >= LEDGER_MS;
}

const lastName = (path: Path): string => path.slice(path.lastIndexOf('/') + 1);

/** What a record must be, where no ledger says what it must hold. */
function schemaOf(path: Path): z.ZodType {
  if (path.startsWith('payments/')) return invoiceSchema;
  return path.startsWith('inventory/') ? reservationSchema : orderRecordSchema;
}

/** What a record is called. */
function roomOf(path: Path): string {
  if (path.startsWith('payments/')) return 'invoice';
  return path.startsWith('inventory/') ? 'reservation' : 'order record';
}

/** The item or the customer above a reservation or an order record. */
const parentOf = (path: Path): Path => path.split('/').slice(0, 2).join('/');

/** The item and the customer whose balances a record concerns. */
const countersOf = (path: Path, fields: object): Path[] => [
  ...(path.startsWith('payments/') ? [] : [parentOf(path)]),
  ...countersNamedIn(fields),
];

function isStuck(saga: Saga, now: Date): boolean {
  if (!isStanding(saga) || saga.sweepAt === null) return false;
  const stoodMs = now.getTime() - lastTransition(saga).at.getTime();
  return stoodMs >= 1000 * saga.deadlineSeconds || (saga.redrives ?? 0) >= REDRIVES_MAX;
}

function stuckOrder(saga: Saga): StuckOrder {
  const { uuid, status, redrives = 0 } = saga;
  const since = lastTransition(saga).at;
  const { topic, attributes, data } = messageFor(saga);
  return {
    uuid,
    status,
    since,
    redrives,
    sentence: `Order ${uuid} is ${status} since ${since.toISOString()}, ${redrives} times re-driven: nothing followed ${topic}`,
    missing: { topic, attributes, data: data.toString() },
  };
}

const isParked = (letter: object): boolean => (letter as Partial<DeadLetter>).status === 'parked';

/** Reads documents, however many. */
async function readAll(snapshot: Snapshot, paths: readonly Path[]): Promise<ReadonlyMap<Path, object>> {
  const wanted = [...new Set(paths)];
  const found = new Map<Path, object>();
  for (let start = 0; start < wanted.length; start += READ_SIZE) {
    const piece = await snapshot.read(wanted.slice(start, start + READ_SIZE));
    for (const [path, fields] of piece) found.set(path, fields);
  }
  return found;
}
