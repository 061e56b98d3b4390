import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { transitionsOf } from '../../saga/ledger/history.ts';
import {
  doneSteps,
  mayFollow,
  type Party,
  REASONS,
  type Saga,
  STATUSES,
  STEP_NAMES,
  shardOf,
} from '../../saga/ledger/ledger.ts';
import { isName, QUANTITY_MAX } from '../../shop/order.ts';
import { steps } from '../compensate.ts';

/**
 * What a ledger must be in itself, whatever else is stored: of the right shape, with a history that the state machine
 * allows, and figures that follow from its lines. Pure.
 */

/** Either a ledger that can be believed, or everything that is wrong with it, as sentences. */
export type CheckedLedger = { readonly saga: Saga } | { readonly faults: readonly string[] };

const PARTIES: Readonly<Record<Party, true>> = {
  frontend: true,
  order: true,
  inventory: true,
  payments: true,
  janitor: true,
};
const HISTORY_LINE = new RegExp(
  `^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z (${STATUSES.join('|')}) (${Object.keys(PARTIES).join('|')})$`,
);
const amount = z.int().min(0);
const name = z.string().refine(isName, { error: 'is not a name' });

const sagaSchema = z.object({
  uuid: z.string().refine(isUuid, { error: 'is not a UUID' }),
  // The tombstone of an order that nobody knew has no user.
  user: z.union([z.literal(''), name], { error: 'is not a name' }),
  items: z.array(
    z.object({
      item: name,
      quantity: z.int().min(1).max(QUANTITY_MAX),
      price_per_unit: amount.exactOptional(),
    }),
  ),
  paymentError: z.string().exactOptional(),
  status: z.enum(STATUSES),
  reason: z.enum(REASONS).exactOptional(),
  detail: z.string().exactOptional(),
  total_invoice: amount.exactOptional(),
  charged: amount.exactOptional(),
  history: z
    .array(z.string().regex(HISTORY_LINE, { error: 'is not a transition' }).refine(beginsWithMoment))
    .min(1),
  createdAt: z.date(),
  deadlineSeconds: z.number().positive(),
  sweepAt: z.date().nullable(),
  redrives: z.int().min(0).exactOptional(),
  expireAt: z.date().nullable().exactOptional(),
  shard: z.int(),
  trace: z.string().exactOptional(),
});

function beginsWithMoment(line: string): boolean {
  return !Number.isNaN(Date.parse(line.split(' ')[0] ?? ''));
}

/** @param uuid the id of the document. */
export function checkLedger(uuid: string, fields: object): CheckedLedger {
  const parsed = sagaSchema.safeParse(fields);
  if (!parsed.success) return { faults: schemaFaults(parsed.error) };
  // Not what the schema has kept: a message may tell of a field that no check knows.
  const saga = fields as Saga;
  const faults = [
    ...identityFaults(saga, uuid),
    ...historyFaults(saga),
    ...reasonFaults(saga),
    ...figureFaults(saga),
  ];
  return faults.length > 0 ? { faults } : { saga };
}

/** What is wrong with the shape of a document, a sentence for each field; a few are enough to look there. */
export const schemaFaults = (error: z.ZodError): string[] =>
  error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => `${path.join('.') || 'all'}: ${message}`);

const FAULTS_MAX = 5;

function* identityFaults(saga: Saga, uuid: string): Iterable<string> {
  if (saga.uuid !== uuid) yield `it says that its uuid is ${saga.uuid}`;
  if (saga.shard !== shardOf(saga.uuid)) yield `its shard is ${saga.shard}, not ${shardOf(saga.uuid)}`;
  const isTombstone = saga.status === 'CANCELED' && saga.items.length === 0;
  if (saga.user === '' && !isTombstone) yield 'it has no user';
  if (saga.items.length === 0 && !isTombstone) yield 'it has no lines';
  if (new Set(saga.items.map(({ item }) => item)).size < saga.items.length) yield 'it names an item twice';
}

function* historyFaults(saga: Saga): Iterable<string> {
  const transitions = transitionsOf(saga);
  const statuses = transitions.map(({ status }) => status);
  if (statuses[0] !== 'RECEIVED') yield `its history begins with ${statuses[0]}`;
  for (const [index, status] of statuses.entries()) {
    const before = statuses[index - 1];
    if (before && !mayFollow(before, status)) yield `its history goes from ${before} to ${status}`;
  }
  for (const [index, { at, status }] of transitions.entries()) {
    const before = transitions[index - 1];
    if (before && before.at > at) yield `its history goes back in time to ${status}`;
  }
  if (statuses.at(-1) !== saga.status)
    yield `it is ${saga.status}, but its history ends with ${statuses.at(-1)}`;
  for (const { status, by } of transitions) {
    const step = STEP_NAMES.find((one) => steps[one].to === status);
    if (step !== undefined && by !== step) yield `its history says that ${by} made it ${status}`;
  }
  // Both together say that it came to rest, under a release in which nothing followed in its status.
  const cameToRest = saga.status !== 'FAILING' && saga.sweepAt === null && saga.expireAt;
  if (!isStanding(saga) || cameToRest) return;
  if (saga.sweepAt === null) yield `it is ${saga.status}, but no sweep will look at it`;
  if (saga.expireAt) yield `it is ${saga.status}, but may be deleted`;
}

function* reasonFaults({ status, reason }: Saga): Iterable<string> {
  const failed = status === 'FAILING' || status === 'CANCELED';
  if (failed && reason === undefined) yield `it is ${status} without a reason`;
  if (!failed && reason !== undefined) yield `it is ${status}, but has the reason ${reason}`;
}

function* figureFaults(saga: Saga): Iterable<string> {
  const { items, total_invoice, charged } = saga;
  const done = doneSteps(saga);
  const unpriced = items.filter(({ price_per_unit }) => price_per_unit === undefined);
  if (done.includes('inventory') && unpriced.length > 0) {
    yield `its line of ${unpriced[0]?.item} is reserved without a price`;
    return;
  }
  if (done.includes('payments') && total_invoice === undefined) yield 'it is invoiced without a total';
  const total = items.reduce(
    (sum, { quantity, price_per_unit = 0 }) => sum + BigInt(quantity) * BigInt(price_per_unit),
    0n,
  );
  if (total_invoice !== undefined && BigInt(total_invoice) !== total) {
    yield `its total is ${total_invoice}, but its lines come to ${total}`;
  }
  if (charged !== undefined && charged !== total_invoice) {
    yield `${charged} was charged for a total of ${total_invoice}`;
  }
}
