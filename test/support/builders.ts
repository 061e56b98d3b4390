import { z } from 'zod';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { type OrderLedger, pipeline, type Status } from '../../pipeline.ts';
import { WorkingCopy, type Write } from '../../saga/commit/documents.ts';
import type { ServiceSettings } from '../../saga/deliver/service.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import {
  advance,
  beginWait,
  complete,
  fail,
  type Ledger,
  PAUSED,
  pause,
  RESUMED,
  receive,
  resume,
  shardOf,
} from '../../saga/ledger/ledger.ts';
import type { Delivery } from '../../saga/ports/bus.ts';
import type { Path, Store, Version, Versioned } from '../../saga/ports/store.ts';
import type { DocumentRef } from '../../saga/step/document.ts';
import type { Saga } from '../../saga/step/saga.ts';
import { type Decision, knownTo, type Read, type Step } from '../../saga/step/step.ts';
import type { Wait, Word } from '../../saga/step/wait.ts';
import type { Order } from '../../shop/order.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { sampleOf } from './sample.ts';

/** Builders with one line of defaults: a spec says only what matters to it. Everything they make is frozen. */

/**
 * Variables of the environment in the tests. Their orders are small, of a few units: where a step does something only beyond
 * a threshold, set it here so low that they pass it.
 */
export const VARIABLES: Readonly<Record<string, string>> = {};
/** What to do where the orders of the tests are too small to show something. */
export const LOWER_A_THRESHOLD = 'set the threshold lower in VARIABLES of test/support/builders.ts';

/** Services as they are by default, except that nobody sweeps unasked. */
export const SETTINGS: ServiceSettings = {
  deadlineSeconds: DEADLINE_SECONDS,
  sweepIntervalSeconds: 0,
  declared: z.object(pipeline.settings).parse(VARIABLES),
};

export const UUID = '11111111-1111-4111-8111-111111111111';
export const NOW = new Date('2026-01-02T03:04:05.678Z');
/** Another moment, for what happens after NOW. */
export const LATER = new Date('2026-01-02T03:05:00.000Z');

/** When waits end. */
const MUCH_LATER = new Date('2026-01-16T00:00:00.000Z');

/** A place in a trace, as W3C writes it. */
export const TRACE = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

/** A uuid of its own for each number. */
export const uuidOf = (number: number): string =>
  `${number.toString(16).padStart(8, '0')}-1111-4111-8111-111111111111`;

/** Draws one uuid after the other, none of which is that of an order in a spec. */
export function manyUuids(): () => string {
  let drawn = 0xd0000000;
  return () => uuidOf(drawn++);
}

/** Jack's order of two widgets, or what `fields` say instead. */
export const anOrder = (fields: Partial<Order> = {}): Order =>
  deepFreeze({ user: 'jack', items: [{ item: 'widget', quantity: 2 }], ...fields });

/** A ledger of that order, as the frontend received it, or what `fields` say instead. */
export const aLedger = (fields: Partial<OrderLedger> = {}): OrderLedger => {
  const { uuid = UUID, items } = fields;
  const order = anOrder(Array.isArray(items) ? { items } : {});
  return deepFreeze({
    ...receive(pipeline, uuid, order, 'frontend', NOW, DEADLINE_SECONDS),
    ...fields,
  } as OrderLedger);
};

/** What a line of these ledgers costs per unit. */
export const PRICE = 5;

/**
 * What a step learns of an order if every document that it reads is a sample of its kind: so a line costs PRICE, and no
 * customer has a limit. If the step refuses that, a sample of what it learns.
 */
export function learnedBy(step: Step, ledger: Ledger): object {
  const decision = decisionOf(step, ledger);
  return decision.kind === 'accepted' ? decision.learned : (sampleOf(step.learns) as object);
}

function decisionOf(step: Step, ledger: Ledger): Decision {
  const read = (({ kind }: DocumentRef) => sampleOf(kind.schema)) as Read;
  const settings = z.object(step.settings).parse(VARIABLES);
  return step.decide(knownTo(step, ledger, NOW), read, settings);
}

/** The first word for which a step waits, and the first that carries nothing if there is one. */
export function wordOf({ words }: Wait): Word {
  const [word = '', carried] =
    Object.entries(words).find(([, { shape }]) => Object.keys(shape).length === 0) ??
    Object.entries(words)[0] ??
    [];
  return { word, ...(carried && (sampleOf(carried) as object)) };
}

/** The ledgers of an order at this step, one after the other: it waits and goes on, if it must, until the step is done. */
function* passing(saga: Saga, step: Step, before: Ledger, waits: boolean): Iterable<Ledger> {
  const { name } = step;
  let ledger = before;
  if (waits && step.waits) {
    const decision = decisionOf(step, ledger);
    const learned = (decision.kind === 'waiting' ? decision.learned : sampleOf(step.waits.learns)) as object;
    ledger = beginWait(saga, ledger, { step: name, by: name, learned, until: MUCH_LATER, now: NOW });
    yield ledger;
    ledger = resume(saga, ledger, { word: wordOf(step.waits), by: step.waits.heardBy, now: NOW });
    yield ledger;
  }
  yield advance(saga, ledger, { step: name, by: name, learned: learnedBy(step, ledger), now: NOW });
}

/** The names of the steps before this one. */
export function stepsBefore(name: string): string[] {
  const names = pipeline.steps.map((step) => step.name);
  return names.slice(0, names.indexOf(name));
}

/** The ledger of that order once it has come so far. It fails, where it does, because payments refuses. */
export function aLedgerThatIs(
  status: Status,
  fields: Partial<OrderLedger> = {},
  saga: Saga = pipeline,
): OrderLedger {
  if (status === PAUSED) {
    const { uuid, ...more } = fields;
    const stopped = { by: 'janitor', person: 'alice', note: 'The provider is away', now: NOW };
    const ledger = pause(saga, aLedgerThatIs('RESERVED', uuid === undefined ? {} : { uuid }, saga), stopped);
    return deepFreeze({ ...ledger, ...more } as OrderLedger);
  }
  const isFailure = status === 'FAILING' || status === 'CANCELED';
  const { user, items } = anOrder(fields as Partial<Order>);
  let ledger: Ledger = aLedger({ user, items });
  way: for (const step of saga.steps) {
    if (ledger.status === status || (isFailure && step.name === 'payments')) break;
    const isWanted = step.waits?.as === status || (status === RESUMED && step.waits !== undefined);
    for (const next of passing(saga, step, ledger, isWanted || step.waits?.as === step.heldSince)) {
      ledger = next;
      if (ledger.status === status) break way;
    }
  }
  if (isFailure) {
    const failure = { by: 'payments', reason: 'PAYMENT_ERROR', detail: 'The payment was refused', now: NOW };
    ledger = fail(saga, ledger, failure);
  }
  if (status === 'CANCELED') ledger = complete(saga, ledger, 'janitor', NOW);
  const uuid = fields.uuid ?? UUID;
  return deepFreeze({ ...ledger, uuid, shard: shardOf(uuid), ...fields } as OrderLedger);
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

/** Does the writes. @returns the same documents, as they are then; undefined where one is gone. */
export function afterwards(documents: WorkingCopy, writes: readonly Write[]): WorkingCopy {
  documents.apply(deepFreeze(writes));
  return documents;
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
