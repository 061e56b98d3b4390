import { isDeepStrictEqual } from 'node:util';
import { messageFor } from '../../saga/deliver/message.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import { schemaFaults } from '../../saga/input/schema-faults.ts';
import { endOfStage, isStanding, isWaiting, REPEAT_MAX_SECONDS } from '../../saga/ledger/deadline.ts';
import { lastTransition, transitionsOf } from '../../saga/ledger/history.ts';
import { FAILING, LEDGERS, type Ledger, ledgerPath, tombstoneUntil } from '../../saga/ledger/ledger.ts';
import { isTombstone, readLedger } from '../../saga/ledger/read-ledger.ts';
import { scanPages } from '../../saga/ports/scan-pages.ts';
import type { Path, Snapshot, StoredDocument } from '../../saga/ports/store.ts';
import type { Account, HeldRecord, Hold, RecordKind } from '../../saga/step/document.ts';
import { holdsOf, isAmount, recordsIn } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { DEAD_LETTERS, type DeadLetter } from '../desk/letter.ts';
import { type AuditReport, BoundedList, type StuckOrder, type Violation } from './audit-report.ts';
import { Books } from './books.ts';

/** How many documents are scanned, or read, at once. */
const PAGE_SIZE = 500;
const READ_SIZE = 500;
/** A dead letter may have 256 KiB. */
const LETTERS_PAGE_SIZE = 20;
/** After this many repeats an order is stuck, even before its deadline. */
const REPEATS_MAX = 3;
/** The margin for clocks that differ. */
const CLOCKS_DIFFER_MAX_MS = 60 * 60 * 1000;
/** A sweep is never planned further ahead than the longest pause. */
const SWEEP_AHEAD_MAX_MS = 1000 * REPEAT_MAX_SECONDS + CLOCKS_DIFFER_MAX_MS;

/**
 * Proves that every account and every record is what the ledgers say, on one snapshot, so that orders may go on meanwhile.
 * What an order holds follows from its ledger. Its records must exist, with exactly these fields, and no others; and for each
 * account, what is left plus what all orders hold must equal the whole. Memory grows with accounts, never with orders.
 * @param now roughly when the snapshot was taken.
 * @param onProgress is called now and then with the number of documents checked so far, and awaited.
 * @throws StoreError if the snapshot can't be read.
 */
export async function audit(
  saga: Saga,
  snapshot: Pick<Snapshot, 'read' | 'scan'>,
  now: Date,
  onProgress: (checkedCount: number) => void | Promise<void> = () => {},
): Promise<AuditReport> {
  const findings = new Findings(saga);
  let checkedCount = 0;

  /** Hands over all documents of a collection, page by page. */
  async function scan(
    collection: string,
    check: (page: readonly StoredDocument[]) => void | Promise<void>,
    limit = PAGE_SIZE,
  ): Promise<void> {
    for await (const page of scanPages(snapshot, collection, limit)) {
      await check(page);
      checkedCount += page.length;
      await onProgress(checkedCount);
    }
  }

  // Two kinds may share a collection's name, such as the orders below users and those below items: it is scanned once.
  const collections = new Set(
    [...saga.accounts, ...saga.records].map(({ template }) => collectionIn(template)),
  );
  await Promise.all([
    scan(LEDGERS, async (page) => {
      const orders = page.filter(({ path }) => path === ledgerPath(lastName(path)));
      const believed = orders.flatMap((document) => findings.believed(document, now));
      const found = await readAll(
        snapshot,
        believed.flatMap(({ records }) => records.map(({ path }) => path)),
      );
      for (const order of believed) findings.enterOrder(order, found, now);
      findings.orderCount += orders.length;
    }),
    ...[...collections].map((collection) =>
      scan(collection, async (page) => {
        const records: { readonly path: Path; readonly kind: RecordKind }[] = [];
        for (const document of page) {
          findings.enterAccount(
            document,
            saga.accounts.filter((one) => one.namesIn(document.path)),
          );
          const kind = saga.records.find((one) => one.namesIn(document.path));
          if (kind !== undefined) records.push({ path: document.path, kind });
        }
        const ledgers = await readAll(
          snapshot,
          records.map(({ path }) => ledgerPath(lastName(path))),
        );
        for (const one of records) findings.enterRecord(one, ledgers.get(ledgerPath(lastName(one.path))));
      }),
    ),
    scan(
      DEAD_LETTERS,
      (page) => {
        findings.parkedCount += page.filter(({ fields }) => isParked(fields)).length;
      },
      LETTERS_PAGE_SIZE,
    ),
  ]);
  return findings.report(now);
}

/** An order whose ledger is believed, and what it holds. */
interface BelievedOrder {
  readonly ledger: Ledger;
  readonly holds: readonly Hold[];
  readonly records: readonly HeldRecord[];
}

/** What has been found so far. */
class Findings {
  orderCount = 0;
  parkedCount = 0;
  readonly #saga: Saga;
  readonly #books: Books;
  readonly #violations = new BoundedList<Violation>();
  readonly #stuck = new BoundedList<StuckOrder>();
  readonly #byStatus: Record<string, number> = {};
  readonly #documents: Record<string, number>;

  constructor(saga: Saga) {
    this.#saga = saga;
    this.#books = new Books(saga.accounts);
    this.#documents = Object.fromEntries([...saga.accounts, ...saga.records].map(({ name }) => [name, 0]));
  }

  /** The order, unless its ledger itself is wrong. Then its records are not reported as well. */
  believed({ path, fields }: StoredDocument, now: Date): BelievedOrder[] {
    const read = readLedger(this.#saga, lastName(path), fields);
    const faults = 'faults' in read ? read.faults : [...editFaults(this.#saga, read.ledger, now)];
    const order = 'ledger' in read ? this.#holdingOf(read.ledger) : undefined;
    const fault = typeof order === 'string' ? [order] : [];
    if (faults.length + fault.length > 0) {
      const sentence = `The ledger ${path} can't be right: ${[...faults, ...fault].join('; ')}`;
      this.#violations.add({ kind: 'ledger', path, sentence });
    }
    // What an edit has left of the ledger may still say rightly what the order holds.
    if (typeof order === 'object') return [order];
    this.#books.doubt(path);
    return [];
  }

  /** What the order holds, or the sentence that says why that can't be told. */
  #holdingOf(ledger: Ledger): BelievedOrder | string {
    let holds: readonly Hold[];
    try {
      holds = holdsOf(this.#saga, ledger);
    } catch (error) {
      return `what it holds can't be told: ${(error as Error).message}`;
    }
    const records = recordsIn(holds);
    const twice = records.find((one, index) => records.findIndex((other) => other.path === one.path) < index);
    return twice === undefined
      ? { ledger, holds, records }
      : `it holds its ${twice.record.name} ${twice.path} twice`;
  }

  /** Adds up what the order holds, and compares its records with it. */
  enterOrder({ ledger, holds, records }: BelievedOrder, found: ReadonlyMap<Path, object>, now: Date): void {
    const { uuid, status } = ledger;
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
    for (const hold of holds) {
      if (isAmount(hold)) this.#books.hold(hold);
      else this.#books.needParentOf(hold.path);
    }
    for (const { path, fields, record } of records) {
      const there = found.get(path);
      if (isDeepStrictEqual(there, fields)) continue;
      const what = `Order ${uuid} is ${status}, but its ${record.name} ${path}`;
      const [kind, fault] =
        there === undefined
          ? (['missing-record', 'is missing'] as const)
          : (['wrong-record', `has another ${differing(there, fields)} than its ledger says`] as const);
      this.#violations.add({ kind, path, uuid, status, sentence: `${what} ${fault}` });
      this.#books.doubt(path);
    }
    if (isStuck(this.#saga, ledger, now)) this.#stuck.add(stuckOrder(this.#saga, ledger));
  }

  enterAccount({ path, fields }: StoredDocument, accounts: readonly Account[]): void {
    for (const account of accounts) {
      this.#count(account.name);
      const parsed = account.schema.safeParse(fields);
      this.#books.enter(account, path, parsed.success ? (parsed.data as Record<string, unknown>) : undefined);
      if (parsed.success) continue;
      const sentence = `${path} is malformed: ${schemaFaults(parsed.error).join('; ')}`;
      this.#violations.add({ kind: 'document', path, sentence });
    }
  }

  /** Whether the record belongs to an order that holds it. */
  enterRecord(
    { path, kind }: { readonly path: Path; readonly kind: RecordKind },
    owner: object | undefined,
  ): void {
    this.#count(kind.name);
    const uuid = lastName(path);
    if (owner === undefined) {
      const sentence = `The ${kind.name} ${path} belongs to no order: there is no ledger ${ledgerPath(uuid)}`;
      this.#violations.add({ kind: 'stray-record', path, uuid, sentence });
    } else {
      const read = readLedger(this.#saga, uuid, owner);
      const order = 'ledger' in read ? this.#holdingOf(read.ledger) : undefined;
      // If the ledger can't be right, it is a violation itself, and what belongs to it is unknown.
      if (typeof order !== 'object' || order.records.some((one) => one.path === path)) return;
      const { status } = order.ledger;
      const sentence = `Order ${uuid} is ${status} and has no ${kind.name} ${path}, but there it is`;
      this.#violations.add({ kind: 'stray-record', path, uuid, status, sentence });
    }
    this.#books.doubt(path);
  }

  /** The scans run side by side; the report is in the order of the documents. */
  report(checkedAt: Date): AuditReport {
    for (const fault of this.#books.faults()) this.#violations.add(fault);
    return {
      checkedAt,
      counts: {
        orders: this.orderCount,
        byStatus: this.#byStatus,
        documents: this.#documents,
        deadLettersParked: this.parkedCount,
      },
      violations: this.#violations.listed.toSorted((one, other) => compare(one.path, other.path)),
      violationCount: this.#violations.count,
      stuck: this.#stuck.listed,
      stuckCount: this.#stuck.count,
    };
  }

  #count(name: string): void {
    this.#documents[name] = (this.#documents[name] ?? 0) + 1;
  }
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** The last collection in a path or in a template. */
const collectionIn = (path: string): string => path.split('/').at(-2) ?? path;

const lastName = (path: Path): string => path.slice(path.lastIndexOf('/') + 1);

/**
 * What no service writes although every service would accept it: it hides a ledger from the sweep, has it deleted while a
 * duplicate may still come, lists it in the wrong place, or names a party that does not exist.
 */
function* editFaults(saga: Saga, ledger: Ledger, now: Date): Iterable<string> {
  const { status, createdAt, movedAt, sweepAt, expireAt } = ledger;
  const transitions = transitionsOf(ledger);
  // The end of a wait is known, however far away it is; if it was edited, a person did that who can do anything.
  const isPlanned =
    sweepAt === null ||
    (isWaiting(saga, ledger) && sweepAt.getTime() === endOfStage(saga, ledger)?.getTime());
  if (!isPlanned && sweepAt.getTime() - now.getTime() > SWEEP_AHEAD_MAX_MS) {
    yield `it is ${status}, but no sweep will look at it before ${sweepAt.toISOString()}`;
  }
  const { at } = lastTransition(ledger);
  // Its deadline and every sweep would be just as far away.
  if (at.getTime() - now.getTime() > CLOCKS_DIFFER_MAX_MS) {
    yield `it is ${status} only since ${at.toISOString()}, which is to come`;
  }
  const until = tombstoneUntil(at);
  if (expireAt && expireAt.getTime() !== until.getTime()) {
    yield `it may be deleted at ${expireAt.toISOString()}, not at ${until.toISOString()}`;
  }
  const [received] = transitions;
  if (received && received.at.getTime() !== createdAt.getTime()) {
    yield `it was created at ${createdAt.toISOString()}, but received at ${received.at.toISOString()}`;
  }
  if (at.getTime() !== movedAt.getTime()) {
    yield `it moved at ${movedAt.toISOString()}, but its last transition was at ${at.toISOString()}`;
  }
  // A ledger of a release whose orders mentioned nothing has none.
  const { mentions } = ledger;
  const asked = isTombstone(saga, ledger) ? [] : (saga.order.mentions?.(ledger) ?? []);
  if (mentions !== undefined && !isDeepStrictEqual(mentions, asked)) {
    yield `it is found by ${mentions.join(', ') || 'no name'}, but asked for ${asked.join(', ') || 'nothing'}`;
  }
  const services = serviceNames(saga);
  const stranger = transitions.find(({ by }) => !services.includes(by));
  if (stranger) yield `its history says that ${stranger.by} made it ${stranger.status}, which is no service`;
}

/** The fields in which two documents differ, in words. */
function differing(one: object, other: object): string {
  const fields = [...new Set([...Object.keys(one), ...Object.keys(other)])] as (keyof typeof one)[];
  return fields.filter((field) => !isDeepStrictEqual(one[field], other[field])).join(', ');
}

function isStuck(saga: Saga, ledger: Ledger, now: Date): boolean {
  if (!isStanding(saga, ledger) || ledger.sweepAt === null) return false;
  const { status, deadlineSeconds, repeats = 0 } = ledger;
  const { at } = lastTransition(ledger);
  // A compensation is never too late, but people want to know of one that takes long.
  const end = status === FAILING ? new Date(at.getTime() + 1000 * deadlineSeconds) : endOfStage(saga, ledger);
  return (end !== undefined && end <= now) || repeats >= REPEATS_MAX;
}

function stuckOrder(saga: Saga, ledger: Ledger): StuckOrder {
  const { uuid, status, repeats = 0 } = ledger;
  const since = lastTransition(ledger).at;
  const { topic, attributes, data } = messageFor(saga, ledger);
  const standing = `Order ${uuid} is ${status} since ${since.toISOString()}`;
  const step = saga.waitingIn(status);
  if (step) {
    const words = Object.keys(step.waits.words).join(' or ');
    const sentence = `${standing}, and waits for ${words}: nothing was heard until ${endOfStage(saga, ledger)?.toISOString()}`;
    return { uuid, status, since, repeats, sentence };
  }
  return {
    uuid,
    status,
    since,
    repeats,
    sentence: `${standing}, announced again ${repeats} times: nothing followed ${topic}`,
    missing: { topic, attributes, data: data.toString() },
  };
}

const isParked = (letter: object): boolean => (letter as Partial<DeadLetter>).status === 'parked';

/** Reads any number of documents. */
async function readAll(
  snapshot: Pick<Snapshot, 'read'>,
  paths: readonly Path[],
): Promise<ReadonlyMap<Path, object>> {
  const wanted = [...new Set(paths)];
  const found = new Map<Path, object>();
  for (let start = 0; start < wanted.length; start += READ_SIZE) {
    const piece = await snapshot.read(wanted.slice(start, start + READ_SIZE));
    for (const [path, fields] of piece) found.set(path, fields);
  }
  return found;
}
