import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import type { ServiceSettings } from '../../programs/services.ts';
import { type Documents, Draft, WorkingCopy, type Write } from '../../saga/commit/documents.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import {
  advance,
  completeCompensation,
  fail,
  receive,
  type Saga,
  type Status,
} from '../../saga/ledger/ledger.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Path, Store, Version, Versioned } from '../../saga/ports/store.ts';
import type { Order } from '../../shop/order.ts';
import { deepFreeze } from './deep-freeze.ts';

/** Builders with one line of defaults: a spec says only what matters to it. Everything they make is frozen. */

/** Services as they are by default, except that nobody sweeps unasked. */
export const SETTINGS: ServiceSettings = {
  deadlineSeconds: DEADLINE_SECONDS,
  sweepIntervalSeconds: 0,
  paymentFailures: { failProbability: 0, failEvery: 0 },
};

export const UUID = '11111111-1111-4111-8111-111111111111';
export const NOW = new Date('2026-01-02T03:04:05.678Z');
/** Another moment, for what happens after NOW. */
export const LATER = new Date('2026-01-02T03:05:00.000Z');

/** A place in a trace, as W3C writes it. */
export const TRACE = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

/** A uuid of its own for each number. */
export const uuidOf = (number: number): string =>
  `${number.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;

/** Jack's order of two widgets, or what `fields` say instead. */
export const anOrder = (fields: Partial<Order> = {}): Order =>
  deepFreeze({ user: 'jack', items: [{ item: 'widget', quantity: 2 }], ...fields });

/** A ledger of that order, as the frontend received it, or what `fields` say instead. */
export const aSaga = (fields: Partial<Saga> = {}): Saga =>
  deepFreeze({ ...receive(fields.uuid ?? UUID, anOrder(), 'frontend', NOW), ...fields });

/** What a line of these ledgers costs per unit. */
export const PRICE = 5;

/** The ledger of that order once it has come so far. It fails, where it does, because payments refuses. */
export function aSagaThatIs(status: Status, fields: Partial<Saga> = {}): Saga {
  const received = aSaga(fields);
  const items = received.items.map((line) => ({ price_per_unit: PRICE, ...line }));
  const total_invoice = items.reduce((sum, line) => sum + line.quantity * line.price_per_unit, 0);
  const created = advance(received, 'order', 'CREATED', {}, NOW);
  const reserved = advance(created, 'inventory', 'RESERVED', { items }, NOW);
  const paid = advance(reserved, 'payments', 'PAID', { total_invoice }, NOW);
  const failing = fail(reserved, 'payments', 'PAYMENT_ERROR', 'The payment was refused', NOW);
  const sagas: Record<Status, Saga> = {
    RECEIVED: received,
    CREATED: created,
    RESERVED: reserved,
    PAID: paid,
    FAILING: failing,
    CANCELED: completeCompensation(failing, NOW),
  };
  return deepFreeze(sagas[status]);
}

/** Documents of which everything is known: what is not there is absent. */
class AllDocuments extends WorkingCopy {
  override has(): boolean {
    return true;
  }

  override get<T extends object>(path: Path<T>): T | undefined {
    this.assumeAbsent(path);
    return super.get(path);
  }
}

/** What a decision may look at. */
export function documentsOf(documents: Readonly<Record<Path, object>>): WorkingCopy {
  const version = 1 as unknown as Version;
  const found = new Map<Path, Versioned>(
    Object.entries(documents).map(([path, fields]) => [path, { fields: deepFreeze(fields), version }]),
  );
  const copy = new AllDocuments();
  copy.load(found.keys(), found);
  return copy;
}

/** What the documents are once the writes are done; undefined where one is gone. */
export function afterwards(documents: Documents, writes: readonly Write[]): Documents {
  const draft = new Draft(documents);
  draft.add(deepFreeze(writes));
  return draft;
}

/** The embedded store with these documents in it. */
export async function storeHolding(documents: Readonly<Record<Path, object>>): Promise<Store> {
  const store = createMemoryStore();
  await store.commit(Object.entries(documents).map(([path, fields]) => ({ kind: 'create', path, fields })));
  return store;
}

/** A delivery that notes what became of it. */
export interface TestDelivery extends Delivery {
  readonly settled: 'acked' | 'nacked' | undefined;
}

/** A delivery of this body, as JSON unless it is bytes already. `note` hears `ack {id}` or `nack {id}`. */
export function aDelivery(
  body: unknown,
  fields: Partial<Delivery> = {},
  note: (event: string) => void = () => {},
): TestDelivery {
  const messageId = fields.messageId ?? 'message-1';
  let settled: TestDelivery['settled'];
  const settle = (as: 'ack' | 'nack') => () => {
    if (settled !== undefined) return;
    settled = `${as}ed`;
    note(`${as} ${messageId}`);
  };
  return {
    subscription: fields.subscription ?? 'order-created-sub',
    messageId,
    data: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    attributes: deepFreeze(fields.attributes ?? {}),
    publishTime: NOW,
    attempt: fields.attempt ?? 1,
    ack: settle('ack'),
    nack: settle('nack'),
    get settled() {
      return settled;
    },
  };
}
