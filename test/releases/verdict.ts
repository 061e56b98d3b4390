import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { type SagaAnswer, sagaLines } from '../../programs/operator-lines.ts';
import { CANCELED, isLedgerPath } from '../../saga/ledger/ledger.ts';
import { isTombstone } from '../../saga/ledger/read-ledger.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { allDocuments } from '../support/all-documents.ts';
import type { Play } from './play.ts';
import type { RecordedOrder, Recording } from './recording.ts';

/** What must hold of orders that another release began, as sentences about what does not. */

/** What becomes of an order, by its uuid. */
export type Ends = ReadonlyMap<string, RecordedOrder['ends']>;

/** The ledgers among documents. */
export const ledgersIn = (documents: ReadonlyMap<Path, object>): readonly OrderLedger[] =>
  [...documents].flatMap(([path, fields]) => (isLedgerPath(path) ? [fields as OrderLedger] : []));

/** Puts a store into the state that a release left behind. */
export async function loadRecording(store: Store, { documents }: Recording): Promise<void> {
  const writes = [...documents].map(([path, fields]) => ({ kind: 'create', path, fields }) as const);
  for (let start = 0; start < writes.length; start += 100)
    await store.commit(writes.slice(start, start + 100));
}

/** Whether the documents can be read, shown and audited as they are, wherever their orders stand. */
export async function legibilityFaults(play: Play, { documents }: Recording): Promise<string[]> {
  const ledgers = ledgersIn(documents);
  const faults: string[] = [];
  for (const { uuid, status } of ledgers) faults.push(...(await viewFaults(play, uuid, status)));
  const listed: string[] = [];
  let page: string | undefined;
  do {
    const { body } = await play.ask('GET', `/orders?limit=100${page === undefined ? '' : `&page=${page}`}`);
    listed.push(...body.orders.map(({ uuid }: { uuid: string }) => uuid));
    page = body.next_page;
  } while (page !== undefined);
  // The tombstone of an order that nobody knew is nobody's order.
  const expected = ledgers.filter((ledger) => !isTombstone(pipeline, ledger)).map(({ uuid }) => uuid);
  if (listed.toSorted().join() !== expected.toSorted().join())
    faults.push('GET /orders lists others than there are');
  const { violations } = (await play.ask('GET', '/audit')).body;
  return [...faults, ...violations.map(({ sentence }: { sentence: string }) => sentence)];
}

/**
 * Whether every order has come to its end, and stock, money and records are what follows from that.
 * @param restedAs the statuses in which orders had come to rest before: where a step was added behind it, they may stay there.
 */
export async function endFaults(
  play: Play,
  ends: Ends,
  restedAs: ReadonlyMap<string, string> = new Map(),
): Promise<string[]> {
  const faults: string[] = [];
  const documents = await allDocuments(play.store);
  const ledgers = ledgersIn(documents);
  for (const [uuid, end] of ends) {
    const rests = ledgers.find((one) => one.uuid === uuid && one.status === restedAs.get(uuid));
    const expected = end === 'in success' ? (rests?.status ?? pipeline.success) : `${CANCELED} ${end}`;
    faults.push(...(await viewFaults(play, uuid, expected)));
  }
  for (const { uuid, status } of ledgers) {
    if (!ends.has(uuid)) faults.push(`Order ${uuid} came from nowhere: ${status}`);
  }
  const canceled = new Set(ledgers.flatMap(({ uuid, status }) => (status === CANCELED ? [uuid] : [])));
  for (const path of documents.keys()) {
    const owner = pipeline.records
      .find((kind) => kind.namesIn(path))
      ?.namesIn(path)
      ?.at(-1);
    if (owner !== undefined && canceled.has(owner))
      faults.push(`The canceled order ${owner} still has ${path}`);
  }
  faults.push(...bookFaults(documents, ledgers));
  const { violations, stuck } = (await play.ask('GET', '/audit')).body;
  const found = [...violations, ...stuck].map(({ sentence }: { sentence: string }) => sentence);
  return [...faults, ...found];
}

/** Whether customers and operators see the order as it is: its status, and of a canceled one the reason. */
async function viewFaults(play: Play, uuid: string, expected: string): Promise<string[]> {
  const order = await play.ask('GET', `/order/${uuid}`);
  const { status, reason } = order.body;
  const shown = order.status === 200 ? status : `answered with ${order.status}`;
  const seen = expected.includes(' ') ? `${shown} ${reason}` : shown;
  if (seen !== expected) return [`Order ${uuid} is ${seen}, not ${expected}`];
  const examined = (await play.ask('GET', `/sagas/${uuid}`)).body;
  if (examined.faults) return [`Operators see order ${uuid} as malformed: ${examined.faults.join('; ')}`];
  const lost = examined.holds.filter(({ exists }: { exists?: boolean }) => exists === false);
  if (lost.length > 0) return [`Operators see that order ${uuid} has lost ${JSON.stringify(lost)}`];
  const [line] = sagaLines(examined as SagaAnswer);
  return line === `Order ${uuid} is ${status}`
    ? []
    : [`Operators see "${line}", not that order ${uuid} is ${status}`];
}

/**
 * What is left and what was sold must make what there was. Counted here anew and by hand, from what customers were sold: who
 * asks the definition what orders hold would believe its mistakes.
 */
export function bookFaults(documents: ReadonlyMap<Path, object>, ledgers: readonly OrderLedger[]): string[] {
  const sold = new Map<Path, number>();
  const delivered = new Map<Path, number>();
  const add = (path: Path, amount: number) => sold.set(path, (sold.get(path) ?? 0) + amount);
  for (const { status, history, user, items = [], offered = items, heard, lines, delivery_cost } of ledgers) {
    if (status === 'CANCELED') continue;
    const wasDelivered = history.some((line) => line.includes(' DELIVERED '));
    // What was asked, or the part of it that was there, or what the customer has left of that.
    const bought = (heard?.inventory as { items?: typeof items } | undefined)?.items ?? offered;
    for (const { item, quantity } of bought) {
      add(`inventory/${item}`, quantity);
      const price = lines?.find((line) => line.item === item)?.price_per_unit ?? Number.NaN;
      add(`users/${user}`, quantity * price);
      const sales = `sales/${item}`;
      if (wasDelivered) delivered.set(sales, (delivered.get(sales) ?? 0) + quantity);
    }
    add(`users/${user}`, delivery_cost ?? Number.NaN);
  }
  const miscounted = [
    ...new Set([...delivered.keys(), ...[...documents.keys()].filter((path) => path.startsWith('sales/'))]),
  ].flatMap((path) => {
    const { sold: counted = 0 } = (documents.get(path) ?? {}) as { sold?: number };
    const actual = delivered.get(path) ?? 0;
    return counted === actual ? [] : [`${path} counts ${counted}, and ${actual} were delivered`];
  });
  const missing = [...documents].flatMap(([path, fields]) => {
    if (!/^(inventory|users)\/[^/]+$/.test(path)) return [];
    const {
      quantity,
      loaded,
      credit = quantity,
      credit_limit: limit = loaded,
    } = fields as Record<string, number>;
    if (limit === undefined || credit === undefined) return [];
    const missing = limit - credit - (sold.get(path) ?? 0);
    return missing === 0
      ? []
      : [`Of ${path}, ${credit} are left and ${sold.get(path) ?? 0} sold: ${missing} missing`];
  });
  return [...missing, ...miscounted];
}
