import { create, remove, update } from '../saga/commit/documents.ts';
import { commitOne } from '../saga/commit/group-commit.ts';
import { takeTurns } from '../saga/deliver/turns.ts';
import { notFound, Problem } from '../saga/http/http.ts';
import { hasEnded } from '../saga/ledger/deadline.ts';
import { LEDGERS, type Ledger } from '../saga/ledger/ledger.ts';
import { readLedger } from '../saga/ledger/read-ledger.ts';
import type { Ports } from '../saga/ports/ports.ts';
import { type Cursor, readOne, StoreError } from '../saga/ports/store.ts';
import { rewriteTask } from '../saga/steer/rewrite-order.ts';
import { readDocument } from '../saga/step/document.ts';
import { holdsOf, isAmount } from '../saga/step/holds.ts';
import type { Saga } from '../saga/step/saga.ts';
import { customers, ERASED } from './customers.ts';

/** Who is to be erased, by which service, and the operator who wants it, if the name is known. */
export interface Erasure {
  readonly user: string;
  readonly by: string;
  readonly person?: string | undefined;
}

/** How many orders and dead letters this work rewrote; another one, before it or beside it, may have rewritten others. */
export interface Erased {
  readonly orders: number;
  readonly letters: number;
}

/** The orders that are rewritten at once; an order of many lines reads a hundred documents. */
const AT_ONCE = 100;
/** The orders that are looked at at once, with a few fields of each. */
const LOOKED_AT = 500;
/** How many of the orders that stand are named. */
const NAMED_MAX = 5;

/**
 * Erases what is personal about a customer and keeps the books: a pseudonym takes the customer's place, order by order. What an order
 * holds of the credit moves to the pseudonym's account in the commit that rewrites its ledger, so the books are right at every moment.
 * The pseudonym is drawn, because one that is derived could be found again by anybody who knows the name. Until all is done it stands
 * in the customer's document, which goes last: after a crash, a repeat goes on where the work ended.
 * @throws Problem 404 if there is nothing of the customer; 409 if orders stand, or if something is malformed. StoreError.
 */
export async function eraseCustomer(saga: Saga, ports: Ports, erasure: Erasure): Promise<Erased> {
  const { user } = erasure;
  const account = await readOne(ports.store, customers.of(user).path);
  if (account?.erasedAs === user) throw notFound(`${user} is the pseudonym of a customer who was erased`);
  await assertAtRest(ports, user);
  const pseudonym = await beginErasure(ports, user);
  const orders = await rewriteOrders(saga, ports, erasure, pseudonym);
  let letters = 0;
  for (const { erase } of saga.services) {
    letters += (await erase?.(saga, ports, { customer: user, person: erasure.person })) ?? 0;
  }
  await removeAccount(ports, user);
  if (account === undefined && orders + letters === 0) throw notFound(`There is no user ${user}`);
  return { orders, letters };
}

/** @throws Problem 409 if orders of the customer stand. */
async function assertAtRest({ store }: Ports, user: string): Promise<void> {
  const standing: Outline[] = [];
  let page: readonly Outline[];
  let after: Cursor | undefined;
  do {
    page = (await store.query({
      collection: LEDGERS,
      where: { user },
      fields: OUTLINE,
      limit: LOOKED_AT,
      ...(after && { after }),
    })) as Outline[];
    standing.push(...page.filter((one) => !hasEnded(one)));
    const last = page.at(-1);
    after = last && { createdAt: last.createdAt, id: last.uuid };
  } while (page.length === LOOKED_AT && standing.length <= NAMED_MAX);
  if (standing.length > 0) throw ordersStand(standing);
}

const OUTLINE = ['uuid', 'status', 'sweepAt', 'createdAt'] as const;
type Outline = Pick<Ledger, (typeof OUTLINE)[number]>;

function ordersStand(standing: readonly Outline[]): Problem {
  const named = standing.slice(0, NAMED_MAX).map(({ uuid, status }) => `${uuid} is ${status}`);
  const more = standing.length > NAMED_MAX ? ', and more' : '';
  return conflict(
    `Orders of the customer stand: ${named.join(', ')}${more}. Erase the customer once these are over`,
  );
}

const conflict = (detail: string): Problem => new Problem(409, 'Conflict', detail);

/** Marks the customer, so that no order of theirs is accepted any more. @returns the pseudonym, drawn now or before. */
async function beginErasure(ports: Ports, user: string): Promise<string> {
  const account = customers.of(user);
  const drawn = ports.newUuid();
  return commitOne(ports.store, ports, {
    reads: () => [account.path],
    decide(documents) {
      const { erasedAs } = documents.get(account.path) ?? {};
      const isThere = documents.get(account.path) !== undefined;
      if (!isThere || erasedAs !== undefined) return { writes: [], result: erasedAs ?? drawn };
      return { writes: [update(account.path, { erasedAs: drawn })], result: drawn };
    },
  });
}

/** Rewrites the customer's orders, until a listing finds none. @returns how many there were. */
async function rewriteOrders(
  saga: Saga,
  ports: Ports,
  { user, by, person }: Erasure,
  pseudonym: string,
): Promise<number> {
  for (let count = 0; ; ) {
    const found = await ports.store.query({ collection: LEDGERS, where: { user }, limit: AT_ONCE });
    if (found.length === 0) return count;
    const ledgers = (found as Ledger[]).map((fields) => believed(saga, fields));
    // It came before the customer was marked; or its end is not final, and it was canceled since.
    const standing = ledgers.filter((one) => !hasEnded(one));
    if (standing.length > 0) throw ordersStand(standing);
    await makeRoom(saga, ports, user, pseudonym, ledgers);
    const tasks = ledgers.map(({ uuid }) =>
      rewriteTask(saga, uuid, (ledger) => impersonal(ledger, user, pseudonym), { by, person }),
    );
    const taken = await takeTurns(saga, by, tasks, ports);
    for (const [index, one] of taken.entries()) {
      if ('turn' in one) continue;
      throw one.error instanceof StoreError ? one.error : unfit(ledgers[index]?.uuid, one.error);
    }
    count += taken.filter((one) => 'turn' in one && one.turn.outcome !== 'unheeded').length;
  }
}

function believed(saga: Saga, fields: Ledger): Ledger {
  const read = readLedger(saga, fields.uuid, fields);
  if ('faults' in read)
    throw unfit(fields.uuid, new Error(`its ledger is malformed: ${read.faults.join('; ')}`));
  return read.ledger;
}

const unfit = (uuid: string | undefined, error: unknown): Problem =>
  conflict(`Order ${uuid} can't be rewritten: ${(error as Error).message}. Run the doctor first`);

/** What an order says once nothing in it is personal; undefined if it is not the customer's any more. */
function impersonal(ledger: Ledger, user: string, pseudonym: string): object | undefined {
  const { user: whose } = ledger as { readonly user?: string };
  if (whose !== user) return undefined;
  return {
    user: pseudonym,
    // Any value asks for the payment to fail; the customer may have written anything.
    ...('paymentError' in ledger && { paymentError: 'null' }),
    ...('address' in ledger && { address: ERASED }),
    // It may name the customer.
    ...('detail' in ledger && { detail: ERASED }),
  };
}

/**
 * Gives the pseudonym an account with as much credit as these orders will take of it, unless it has that much. So its limit is
 * what its orders hold, or more if two erase at once.
 */
async function makeRoom(
  saga: Saga,
  ports: Ports,
  user: string,
  pseudonym: string,
  ledgers: readonly Ledger[],
): Promise<void> {
  const holds = ledgers.flatMap((ledger) => holdsOf(saga, ledger));
  if (holds.length === 0) return;
  const own = customers.of(user).path;
  const needed = holds.reduce(
    (sum, hold) => (isAmount(hold) && hold.path === own ? sum + hold.amount : sum),
    0,
  );
  const account = customers.of(pseudonym);
  await commitOne(ports.store, ports, {
    reads: () => [account.path],
    decide(documents) {
      const found = readDocument(documents, account);
      const { credit = 0, credit_limit = 0 } = found ?? {};
      const missing = Math.max(0, needed - credit);
      const figures = { credit: credit + missing, credit_limit: credit_limit + missing };
      const isNew = found === undefined;
      const fields = { address: ERASED, ...figures, erasedAs: pseudonym };
      if (isNew) return { writes: [create(account.path, fields)], result: undefined };
      return { writes: missing === 0 ? [] : [update(account.path, figures)], result: undefined };
    },
  });
}

/** @throws Problem 409 if something still refers to the account, which the doctor would find. */
async function removeAccount(ports: Ports, user: string): Promise<void> {
  const account = customers.of(user);
  const [stray] = await ports.store.list(`${account.path}/orders`, 1);
  if (stray) throw conflict(`${account.path}/orders/${stray.id} belongs to no order. Run the doctor first`);
  await commitOne(ports.store, ports, {
    reads: () => [account.path],
    decide(documents) {
      const found = documents.get(account.path);
      if (found === undefined) return { writes: [], result: undefined };
      if (found.credit !== found.credit_limit)
        throw conflict(
          `The credit of ${user} is ${found.credit}, not ${found.credit_limit}. Run the doctor first`,
        );
      return { writes: [remove(account.path)], result: undefined };
    },
  });
}
