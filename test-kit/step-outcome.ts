import { z } from 'zod';
import { type Documents, WorkingCopy, type Write } from '../saga/commit/documents.ts';
import {
  advance,
  beginWait,
  complete,
  fail,
  isFailed,
  type Ledger,
  RESUMED,
  receive,
  resume,
} from '../saga/ledger/ledger.ts';
import type { Path, Version } from '../saga/ports/store.ts';
import { changeOf, isAmount } from '../saga/step/holds.ts';
import type { Saga } from '../saga/step/saga.ts';
import { knownTo, type Step } from '../saga/step/step.ts';
import { stepTask, takeStep } from '../saga/step/take-step.ts';
import type { Outcome } from '../saga/step/turn.ts';
import type { Word } from '../saga/step/wait.ts';
import { deepFreeze } from './deep-freeze.ts';

/**
 * Given documents and an order, when a step runs, then this is everything that comes of it: what the step learned or why it
 * refused, and every document that is different afterwards. The input is frozen, so that a step which changes it fails.
 */

/** What there is before the step. */
export interface Given {
  /** What was asked. */
  readonly order: object;
  /** The documents, by their paths. */
  readonly documents?: Readonly<Record<Path, object>>;
  /** What earlier steps have learned. */
  readonly learned?: object;
  /** The status of the order; by default the one in which the step begins. */
  readonly status?: string;
  /** The word that the step has heard: it waited, and decides again. */
  readonly word?: Word;
  /** The values of the step's settings; by default those of an empty environment. */
  readonly settings?: object;
}

/** What comes of a step. */
export type StepOutcome =
  | { readonly accepted: object; readonly changes: Readonly<Record<Path, object | undefined>> }
  | {
      readonly waiting: object;
      readonly seconds: number;
      readonly changes: Readonly<Record<Path, object | undefined>>;
    }
  | { readonly refused: string; readonly detail: string }
  | { readonly nothing: Outcome };

/** The uuid and the moment of every order here. */
export const UUID = '11111111-1111-4111-8111-111111111111';
export const NOW = new Date('2026-01-02T03:04:05.678Z');
const DEADLINE_SECONDS = 900;

/**
 * Runs a step of a saga on what is given.
 * @returns what it learned, with the documents that changed (undefined: gone); or why it refused; or, if the order does not
 * stand where the step begins, that nothing happened, and why.
 * @throws Error if the saga has no such step, or the step throws, or it holds of an account that it does not read.
 */
export function outcomeOf(saga: Saga, stepName: string, given: Given): StepOutcome {
  const step = saga.steps.find(({ name }) => name === stepName);
  if (step === undefined) throw new Error(`${saga.name} has no step ${stepName}`);
  const { documents = {}, settings = defaultsOf(step) } = deepFreeze(given);
  const before = ledgerAt(saga, given, given.word ? RESUMED : statusBefore(saga, step), step);
  const copy = documentsOf(documents);
  if (!saga.stepsAt(before).includes(step)) {
    const task = stepTask(
      saga,
      step,
      { uuid: UUID },
      {
        settings,
        deadlineSeconds: DEADLINE_SECONDS,
        isEntry: false,
      },
    );
    return { nothing: task.take(before, copy, NOW).outcome };
  }
  const turn = takeStep(saga, step, before, copy, settings, NOW);
  const after = turn.ledger as Ledger;
  if (turn.outcome === 'refused') return { refused: after.reason ?? '', detail: after.detail ?? '' };
  mustHaveRead(step, before, after);
  const change = changeOf(saga, before, after, copy);
  if ('shortage' in change) return { refused: change.shortage.reason, detail: change.shortage.detail };
  const changes = changesBy(change.writes, copy);
  const learned = ({ shape }: z.ZodObject) =>
    Object.fromEntries(Object.keys(shape).map((field) => [field, after[field as keyof Ledger]]));
  if (turn.outcome !== 'waiting' || step.waits === undefined)
    return { accepted: learned(step.learns), changes };
  const seconds = ((after.waitsUntil?.[step.name]?.getTime() ?? 0) - NOW.getTime()) / 1000;
  return { waiting: learned(step.waits.learns), seconds, changes };
}

/** The status in which a step begins. */
const statusBefore = ({ groups, statuses }: Saga, step: Step): string =>
  groups[groups.findIndex((group) => group.includes(step)) - 1]?.at(-1)?.leadsTo ?? statuses[0] ?? '';

/** Here every document is known; in production a step knows only those that it reads. */
function mustHaveRead(step: Step, before: Ledger, after: Ledger): void {
  const read = new Set(step.reads(before).map(({ path }) => path));
  const { holds } = after.status === step.waits?.as ? step.waits : step;
  const unread = holds(knownTo(step, after, NOW))
    .filter(isAmount)
    .find(({ path }) => !read.has(path));
  if (unread !== undefined) {
    throw new Error(`${unread.path} was not read: it is missing in what ${step.name} reads`);
  }
}

/**
 * Cancels an order that has come so far.
 * @param given `status`: how far it has come.
 * @returns the documents that are different afterwards; undefined: gone.
 */
export function whenCanceled(
  saga: Saga,
  given: Given & { readonly status: string },
): Readonly<Record<Path, object | undefined>> {
  const before = ledgerAt(saga, deepFreeze(given), given.status);
  const failure = { by: 'frontend', reason: saga.unknownReason, detail: 'It is canceled', now: NOW };
  const canceled = complete(saga, fail(saga, before, failure), 'janitor', NOW);
  const copy = documentsOf(given.documents ?? {});
  const change = changeOf(saga, before, canceled, copy);
  if ('shortage' in change) throw new Error(change.shortage.detail);
  return changesBy(change.writes, copy);
}

const defaultsOf = ({ settings }: Step): object => z.object(settings).parse({});

/**
 * The ledger of the order in this status, as earlier steps would have left it.
 * @param of the step that has heard the word, if there is one.
 */
function ledgerAt(
  saga: Saga,
  { order, learned = {}, status, word }: Given,
  otherwise: string,
  of?: Step,
): Ledger {
  const wanted = status ?? otherwise;
  let ledger: Ledger = receive(saga, UUID, order, 'frontend', NOW, DEADLINE_SECONDS);
  const known = ({ shape }: z.ZodObject) =>
    Object.fromEntries(Object.entries(learned).filter(([field]) => field in shape));
  for (const step of saga.steps) {
    // What is to fail has not come to an end that is final.
    if (ledger.status === wanted || (step.isFinal && isFailed({ status: wanted }))) break;
    const { name, waits, heldSince } = step;
    const done = { step: name, by: name, now: NOW };
    if (waits && (waits.as === wanted || waits.as === heldSince || (wanted === RESUMED && step === of))) {
      ledger = beginWait(saga, ledger, { ...done, learned: known(waits.learns), until: NOW });
      if (ledger.status === wanted) break;
      const heard = word ?? { word: Object.keys(waits.words)[0] ?? '' };
      ledger = resume(saga, ledger, { word: heard, by: name, now: NOW });
      if (ledger.status === wanted) break;
    }
    ledger = advance(saga, ledger, { ...done, learned: known(step.learns) });
  }
  if (ledger.status === wanted) return deepFreeze(ledger);
  const failure = { by: 'frontend', reason: saga.unknownReason, detail: 'It failed', now: NOW };
  const failing = fail(saga, ledger, failure);
  if (failing.status === wanted) return deepFreeze(failing);
  return deepFreeze(complete(saga, failing, 'janitor', NOW));
}

/** Documents of which everything is known: what is not given is absent. */
function documentsOf(documents: Readonly<Record<Path, object>>): WorkingCopy {
  const copy = new WorkingCopy();
  const version = 1 as unknown as Version;
  const found = new Map(Object.entries(documents).map(([path, fields]) => [path, { fields, version }]));
  copy.load(found.keys(), found);
  return new Proxy(copy, {
    get(target, name) {
      if (name === 'get') {
        return (path: Path) => {
          target.assumeAbsent(path);
          return target.get(path);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function changesBy(writes: readonly Write[], copy: WorkingCopy): Record<Path, object | undefined> {
  for (const { path } of writes) copy.assumeAbsent(path);
  copy.apply(writes);
  return Object.fromEntries(writes.map(({ path }) => [path, (copy as Documents).get(path)]));
}
