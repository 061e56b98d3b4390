import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { schemaFaults } from '../input/schema-faults.ts';
import { oncePerSaga } from '../step/once-per-saga.ts';
import type { Saga } from '../step/saga.ts';
import { wordFault } from '../step/wait.ts';
import { DEADLINE_SECONDS_MAX, isStanding } from './deadline.ts';
import { statusIn, withoutPauses } from './history.ts';
import { CANCELED, FAILING, isFailed, type Ledger, type LedgerFields, RECEIVED, shardOf } from './ledger.ts';
import { traceparentIn } from './trace.ts';
import { waitsIn } from './waits-in.ts';

/**
 * The one place where a ledger is read. Only our programs write ledgers, but people may edit one by hand. Everything that
 * acts on a ledger, shows it or audits it reads it here, so that no two parts of the system judge it differently.
 */

/** Either a ledger that can be believed, or everything that is wrong with it, as sentences. */
export type ReadLedger = { readonly ledger: Ledger } | { readonly faults: readonly string[] };

/** A ledger that can't be right. */
export class MalformedLedger extends Error {
  override readonly name = 'MalformedLedger';
}

const wholeNumber = z.int().min(0);
const kernelFields = {
  uuid: z.string(),
  status: z.string(),
  reason: z.string().exactOptional(),
  detail: z.string().exactOptional(),
  history: z.array(z.string()).min(1),
  createdAt: z.date(),
  movedAt: z.date(),
  deadlineSeconds: z.number().positive().max(DEADLINE_SECONDS_MAX),
  sweepAt: z.date().nullable(),
  waitsUntil: z.record(z.string(), z.date()).exactOptional(),
  heard: z.record(z.string(), z.looseObject({ word: z.string() })).exactOptional(),
  repeats: wholeNumber.exactOptional(),
  trace: z.string().exactOptional(),
  expireAt: z.date().nullable().exactOptional(),
  forkOf: z.object({ uuid: z.string(), at: z.date() }).exactOptional(),
  forks: z.array(z.string()).exactOptional(),
  rewritten: z.string().exactOptional(),
  shard: wholeNumber,
  mentions: z.array(z.string()).exactOptional(),
} satisfies { readonly [Field in keyof LedgerFields]-?: z.ZodType<LedgerFields[Field]> };

/** Names that neither an order nor a step may use for a field: those of the ledger, and what steps are told besides. */
export const LEDGER_FIELDS: ReadonlySet<string> = new Set([...Object.keys(kernelFields), 'at', 'word']);

/** The schema of a ledger after these steps, built once for each way that an order can go. */
function schemaOf(saga: Saga, was: readonly string[]): z.ZodObject {
  const schemas = schemasOf(saga);
  const way = was.join(' ');
  let schema = schemas.get(way);
  if (schema === undefined) {
    const learned = saga.acts.filter(({ status }) => was.includes(status)).map(({ learns }) => learns.shape);
    schema = z.object(Object.assign({}, kernelFields, saga.order.schema.shape, ...learned));
    schemas.set(way, schema);
  }
  return schema;
}
const schemasOf = oncePerSaga(() => new Map<string, z.ZodObject>());
const tombstoneSchema = z.object(kernelFields);

/**
 * Reads a ledger.
 * @param uuid the id of its document.
 */
export function readLedger(saga: Saga, uuid: string, fields: object): ReadLedger {
  const { history } = fields as Partial<Ledger>;
  const isLegible = Array.isArray(history) && history.every((line) => typeof line === 'string');
  const all = isLegible ? history.map(statusIn) : [];
  const was = withoutPauses(all);
  // If no order can go this way, that is a fault of its own below and needs no schema.
  const isWay =
    was.every((status) => saga.statuses.includes(status)) && was.length <= 2 * saga.statuses.length;
  const schema = isTombstone(saga, fields as Ledger) ? tombstoneSchema : schemaOf(saga, isWay ? was : []);
  const parsed = schema.safeParse(fields);
  if (!parsed.success) return { faults: schemaFaults(parsed.error) };
  const ledger = fields as Ledger;
  const faults: string[] = [];
  const fault = (sentence: string) => faults.push(sentence);
  checkHistory(saga, ledger, all, fault);
  // If the history can't be right, faults that only follow from it are no news.
  if (faults.length === 0) {
    checkIdentity(ledger, uuid, fault);
    checkRest(saga, ledger, fault);
    checkReason(saga, ledger, fault);
    checkKnowledge(saga, ledger, was, fault);
    checkWaits(saga, ledger, was, fault);
  }
  return faults.length > 0 ? { faults } : { ledger };
}

/**
 * The ledger that was read.
 * @throws MalformedLedger that names all its faults.
 */
export function trusted(read: ReadLedger, uuid: string): Ledger {
  if ('ledger' in read) return read.ledger;
  throw new MalformedLedger(`The ledger of order ${uuid} can't be right: ${read.faults.join('; ')}`);
}

/** Takes a sentence that says what is wrong. */
type Fault = (sentence: string) => void;

const HISTORY_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z_]+ \S+( \S|$)/;
const MOMENT_LENGTH = '2026-01-02T03:04:05.678Z'.length;

/** Runs for every ledger that is read, so it compares moments as texts instead of making dates of them. */
function checkHistory(saga: Saga, { status, history }: Ledger, was: readonly string[], fault: Fault): void {
  let before: string | undefined;
  let beforeAt = '';
  for (const [index, line] of history.entries()) {
    const at = line.slice(0, MOMENT_LENGTH);
    if (!HISTORY_LINE.test(line) || Number.isNaN(Date.parse(at))) {
      fault(`history[${index}]: is not a transition`);
      return;
    }
    const to = statusIn(line);
    if (before === undefined && to !== RECEIVED) fault(`its history begins with ${to}`);
    if (before !== undefined && !saga.mayHaveFollowed(was.slice(0, index), to))
      fault(`its history goes from ${before} to ${to}`);
    if (at < beforeAt) fault(`its history goes back in time to ${to}`);
    before = to;
    beforeAt = at;
  }
  if (before !== status) fault(`it is ${status}, but its history ends with ${before}`);
}

function checkIdentity({ uuid, shard, trace }: Ledger, id: string, fault: Fault): void {
  if (!isUuid(uuid)) fault('its uuid is not a UUID');
  else if (uuid !== id) fault(`it says that its uuid is ${uuid}`);
  else if (shard !== shardOf(uuid)) fault(`its shard is ${shard}, not ${shardOf(uuid)}`);
  if (trace !== undefined && traceparentIn(trace) === undefined) fault('its trace is not a traceparent');
}

/** An order at rest says so in two fields, so that one wrong edit can't hide it from the sweep for ever. */
function checkRest(saga: Saga, ledger: Ledger, fault: Fault): void {
  const { status, sweepAt, expireAt } = ledger;
  const rests = sweepAt === null;
  if (!rests && !isStanding(saga, ledger)) fault(`it is ${status}, but a sweep will look at it`);
  if (rests && (status === FAILING || expireAt === undefined)) {
    fault(`it is ${status}, but no sweep will look at it`);
  }
  if (expireAt && status !== CANCELED) fault(`it is ${status}, but may be deleted`);
  if (!expireAt && status === CANCELED) fault('it is CANCELED, but will never be deleted');
}

function checkReason(saga: Saga, ledger: Ledger, fault: Fault): void {
  const { status, reason, detail } = ledger;
  const failed = isFailed(ledger);
  if (failed && reason === undefined) fault(`it is ${status} without a reason`);
  if (failed && detail === undefined) fault(`it is ${status} without a detail`);
  if (!failed && reason !== undefined) fault(`it is ${status}, but has the reason ${reason}`);
  if (!failed && detail !== undefined) fault(`it is ${status}, but has a detail of a failure`);
  if (reason !== undefined && !saga.reasons.includes(reason)) fault(`its reason ${reason} is none`);
}

/** A ledger must not know what only a step that was not done could have learned. */
function checkKnowledge(saga: Saga, ledger: Ledger, was: readonly string[], fault: Fault): void {
  for (const { status, step, learns } of saga.acts) {
    if (was.includes(status)) continue;
    for (const field of Object.keys(learns.shape)) {
      if (field in ledger)
        fault(
          `it knows ${field}, although ${step.name} ${status === step.leadsTo ? 'is not done' : 'did not wait'}`,
        );
    }
  }
}

/** Every wait has an end; a word was heard exactly if the order went on from a wait. */
function checkWaits(saga: Saga, ledger: Ledger, was: readonly string[], fault: Fault): void {
  const { waitsUntil = {}, heard = {} } = ledger;
  const waited = waitsIn(saga, was);
  const resumed = waited.filter(({ hasHeard }) => hasHeard);
  for (const { step } of waited) {
    if (!(step.name in waitsUntil)) fault(`${step.name} waits, but nobody knows until when`);
  }
  for (const name of Object.keys(waitsUntil)) {
    if (!waited.some(({ step }) => step.name === name))
      fault(`${name} has a time to wait, but does not wait`);
  }
  for (const { step } of resumed) {
    const word = heard[step.name];
    const wrong = word && wordFault(step.waits, word);
    if (word === undefined) fault(`${step.name} went on, but no word is there`);
    if (wrong) fault(`the word that ${step.name} has heard: ${wrong}`);
  }
  for (const name of Object.keys(heard)) {
    if (!resumed.some(({ step }) => step.name === name)) fault(`${name} has heard a word, but did not go on`);
  }
}

/** Whether this ledger only says that the failure of an order came before the order. */
export const isTombstone = (saga: Saga, ledger: Ledger): boolean =>
  ledger.status === CANCELED &&
  ledger.history?.length === 3 &&
  !saga.orderFields.some((field) => field in ledger);
