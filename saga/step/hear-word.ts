import { isDeepStrictEqual } from 'node:util';
import type { Documents } from '../commit/documents.ts';
import type { SagaMessage } from '../deliver/message.ts';
import { isOutlived, isOverdue, overdueDetail } from '../ledger/deadline.ts';
import { DEADLINE_EXCEEDED, isFailed, type Ledger, resume } from '../ledger/ledger.ts';
import { changeableBy } from './holds.ts';
import type { Saga, WaitingStep } from './saga.ts';
import { knownTo } from './step.ts';
import { refusedTurn, takeStep } from './take-step.ts';
import type { LedgerTask, Turn } from './turn.ts';
import { SILENCE, type Word, wordFault } from './wait.ts';

/** A word for an order that waits. */
export interface SpokenWord {
  readonly uuid: string;
  readonly word: Word;
  /** Who hears it, and the operator who says it. */
  readonly by: string;
  readonly person?: string | undefined;
  /** The values of the step's settings, if its own service hears the word in a message, and so decides at once. */
  readonly settings?: object;
}

/**
 * Hears a word: the order that waits for it goes on. Safe to repeat. The turn's outcome is `resumed`, or what the step decides if
 * its own service hears the word; `duplicate` if the order has heard the same word before; `unheeded`, with the reason in
 * `detail`, if the order does not wait for it, has heard another one, or can't heed this one; `ignored` if there is no order.
 * Past the deadline of a wait that ends with it, the clock has spoken first.
 */
export function wordTask(
  saga: Saga,
  step: WaitingStep,
  { uuid, word, by, person, settings }: SpokenWord,
): LedgerTask {
  return {
    uuid,
    reads(ledger) {
      if (ledger === undefined || saga.waitingIn(ledger.status) !== step) return [];
      const read = settings === undefined ? [] : step.reads(ledger).map(({ path }) => path);
      return [...changeableBy(saga, step, ledger), ...read];
    },
    take(ledger, documents, now) {
      if (ledger === undefined) return { outcome: 'ignored', detail: 'No order has the uuid of the word' };
      if (isDeepStrictEqual(ledger.heard?.[step.name], word)) return { outcome: 'duplicate', ledger };
      const fault = wordFault(step.waits, word) ?? unheededBecause(saga, step, ledger, word);
      if (fault !== undefined) return { outcome: 'unheeded', ledger, detail: fault };
      if (isOverdue(saga, ledger, now)) {
        const turn = overdueTurn(saga, ledger, by, now);
        return { ...turn, outcome: 'unheeded', detail: turn.detail ?? 'The word came too late' };
      }
      const resumed = resume(saga, ledger, { word, by, person, now });
      if (settings === undefined || saga.isOrchestrated(ledger))
        return { outcome: 'resumed', ledger: resumed };
      return takeResumed(saga, step, resumed, documents, settings, now);
    },
  };
}

/**
 * Hears the word of a message, `{"uuid": "…", "outcome": "{word}"}`. What can't be heeded goes to the dead-letter desk, where
 * people see it, and can send it again once its time has come.
 */
export function wordMessageTask(
  saga: Saga,
  step: WaitingStep,
  { uuid, word }: SagaMessage,
  settings: object,
): LedgerTask {
  if (word === undefined) {
    const detail = `The message has no outcome: it must be one of ${Object.keys(step.waits.words).join(', ')}`;
    return { uuid, take: () => ({ outcome: 'parked', detail }) };
  }
  const task = wordTask(saga, step, { uuid, word, by: step.name, settings });
  return {
    ...task,
    take(ledger, documents, now) {
      const turn = task.take(ledger, documents, now);
      return turn.outcome === 'unheeded' || turn.outcome === 'ignored'
        ? { ...turn, outcome: 'parked' }
        : turn;
    },
  };
}

/** What was held for the word is settled in the same commit, so the decision begins with the ledger that heard it. */
const takeResumed = (
  saga: Saga,
  step: WaitingStep,
  resumed: Ledger,
  documents: Documents,
  settings: object,
  now: Date,
): Turn => ({ ...takeStep(saga, step, resumed, documents, settings, now), from: resumed });

/** Why an order does not heed a word, as a sentence; undefined if it does. */
function unheededBecause(saga: Saga, step: WaitingStep, ledger: Ledger, word: Word): string | undefined {
  const { status, reason, heard } = ledger;
  if (saga.waitingIn(status) === step) return step.waits.fault(knownTo(step, ledger, undefined), word);
  const before = heard?.[step.name];
  if (before !== undefined) return `The order has heard ${before.word} before`;
  if (isFailed(ledger)) return `The order is ${status}: ${reason}`;
  return `The order is ${status}: it does not wait for ${word.word}`;
}

/**
 * What becomes of an order past its deadline: it fails, or, if it waits and its step is to decide without a word, it goes on.
 */
export function overdueTurn(saga: Saga, ledger: Ledger, by: string, now: Date): Turn {
  const step = saga.waitingIn(ledger.status);
  if (step?.waits.afterwards === 'go on' && !isOutlived(saga, ledger, now)) {
    return { outcome: 'resumed', ledger: resume(saga, ledger, { word: { word: SILENCE }, by, now }) };
  }
  const detail = overdueDetail(saga, ledger, now);
  return refusedTurn(saga, ledger, { by, reason: DEADLINE_EXCEEDED, detail, now });
}
