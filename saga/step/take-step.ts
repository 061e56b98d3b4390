import type { Documents } from '../commit/documents.ts';
import type { SagaMessage } from '../deliver/message.ts';
import { isOverdue, overdueDetail } from '../ledger/deadline.ts';
import {
  advance,
  beginWait,
  DEADLINE_EXCEEDED,
  fail,
  isFailed,
  type Ledger,
  leftBy,
  RESUMED,
  receive,
  STEP_FAILED,
} from '../ledger/ledger.ts';
import { isTombstone } from '../ledger/read-ledger.ts';
import { type DocumentRef, readDocument, refusalFor } from './document.ts';
import { changeableBy } from './holds.ts';
import { isSameOrder } from './receive.ts';
import type { Saga } from './saga.ts';
import { type Decision, knownTo, type Read, refuse, type Step } from './step.ts';
import type { LedgerTask, Outcome, Turn } from './turn.ts';

/** What a step is told besides the order. */
export interface StepOptions {
  /** The values of the step's settings. */
  readonly settings: object;
  /** How long each stage may take, for an order that comes without a ledger. */
  readonly deadlineSeconds: number;
  /** Whether the message came on the topic of entry. Then it may be an order without a ledger, published without the frontend. */
  readonly isEntry: boolean;
}

/**
 * What a step does with a message: nothing, unless the ledger stands exactly where the step begins. On the topic of entry it
 * also begins the ledgers of orders that were published without the frontend. If it is not the first step any more, it leaves
 * them to that one.
 */
export function stepTask(saga: Saga, step: Step, message: SagaMessage, options: StepOptions): LedgerTask {
  const { uuid, order, orderFault, trace } = message;
  // The steps of an orchestrated order are the orchestrator's.
  const hasTurn = (ledger: Ledger) => saga.stepsAt(ledger).includes(step) && !saga.isOrchestrated(ledger);
  return {
    uuid,
    reads(ledger) {
      const asked = ledger ?? order;
      if (asked === undefined || (ledger !== undefined && !hasTurn(ledger))) return [];
      const read = step.reads(asked).map(({ path }) => path);
      return ledger?.status === RESUMED ? [...read, ...changeableBy(saga, step, ledger)] : read;
    },
    take(ledger, documents, now) {
      if (ledger !== undefined) {
        if (options.isEntry && order !== undefined && isOfAnother(saga, ledger, order)) {
          return { outcome: 'parked', detail: 'Another order has the uuid of the message' };
        }
        return hasTurn(ledger)
          ? takeStep(saga, step, ledger, documents, options.settings, now)
          : { outcome: outcomeWithoutTurn(saga, step, ledger), ledger };
      }
      // The uuid has a field of its own. Without it in the sentence, the desk can count letters by their reason.
      if (!options.isEntry) return { outcome: 'parked', detail: 'No order has the uuid of the message' };
      if (order === undefined)
        return { outcome: 'parked', detail: `The message is not an order: ${orderFault}` };
      const received = receive(saga, uuid, order, step.name, now, options.deadlineSeconds, trace);
      return hasTurn(received)
        ? takeStep(saga, step, received, documents, options.settings, now)
        : { outcome: 'accepted', ledger: received };
    },
  };
}

/** Whether an order comes under the uuid of another one. That of a tombstone never came; one that was rewritten came otherwise. */
const isOfAnother = (saga: Saga, ledger: Ledger, order: object): boolean =>
  !isTombstone(saga, ledger) && ledger.rewritten === undefined && !isSameOrder(saga, ledger, order);

/** Why a message does nothing: the step is over, the order is, or the step's time has not come. */
function outcomeWithoutTurn(saga: Saga, step: Step, ledger: Ledger): Outcome {
  if (leftBy(ledger, step.name)) return 'duplicate';
  if (isFailed(ledger)) return 'fenced';
  return saga.actsOf(ledger).some((act) => act.step === step) ? 'duplicate' : 'ignored';
}

/**
 * Takes a step on a ledger that stands where the step begins. Past its deadline, the order is refused.
 * @param by who does it, by default the step's own service.
 */
export function takeStep(
  saga: Saga,
  step: Step,
  ledger: Ledger,
  documents: Documents,
  settings: object,
  now: Date,
  by = step.name,
): Turn {
  const decision = isOverdue(saga, ledger, now)
    ? refuse(DEADLINE_EXCEEDED, overdueDetail(saga, ledger, now))
    : decide(saga, step, ledger, documents, settings, now);
  if (decision.kind === 'refused') return refusedTurn(saga, ledger, { by, ...decision, now });
  const { learned } = decision;
  const done = { step: step.name, by, learned, now };
  if (decision.kind === 'accepted') {
    return { outcome: 'accepted', from: ledger, ledger: advance(saga, ledger, done) };
  }
  const until = new Date(now.getTime() + 1000 * decision.seconds);
  return { outcome: 'waiting', from: ledger, ledger: beginWait(saga, ledger, { ...done, until }) };
}

/** The order is refused, and fails. */
export function refusedTurn(
  saga: Saga,
  ledger: Ledger,
  refusal: { by: string; reason: string; detail: string; now: Date },
): Turn {
  return {
    outcome: 'refused',
    ledger: fail(saga, ledger, refusal),
    detail: `${refusal.reason}: ${refusal.detail}`,
  };
}

/** Whether an earlier step, or this one before it waited, has read the document: then it has taken the order. */
const isTakenBy = (saga: Saga, ledger: Ledger, { path }: DocumentRef): boolean =>
  saga.actsOf(ledger).some(({ step }) => step.reads(ledger).some((one) => one.path === path));

function decide(
  saga: Saga,
  step: Step,
  ledger: Ledger,
  documents: Documents,
  settings: object,
  now: Date,
): Decision {
  const { failsAt } = saga.order;
  if (failsAt !== undefined && ledger[failsAt as keyof Ledger] === step.name) {
    return refuse(STEP_FAILED, `The order asked for ${step.name} to fail (${failsAt})`);
  }
  const lacking = Object.keys(step.needs).find((field) => ledger[field as keyof Ledger] === undefined);
  // It passed the steps before a release in which one of them learns that.
  if (lacking !== undefined) {
    throw new Error(`Order ${ledger.uuid} does not know ${lacking}, which ${step.name} needs`);
  }
  const found = new Map<string, object | undefined>();
  for (const needed of step.reads(ledger)) {
    const content = readDocument(documents, needed);
    const refusal = refusalFor(needed, content, () => isTakenBy(saga, ledger, needed));
    if (refusal) return refuse(refusal.reason, refusal.detail);
    found.set(needed.path, content);
  }
  const read = (({ path }: DocumentRef) => {
    if (!found.has(path)) throw new Error(`${path} was not read: it is missing in what ${step.name} reads`);
    return found.get(path);
  }) as Read;
  const decision = step.decide(knownTo(step, ledger, now), read, settings);
  // Otherwise the next step would be the first to find that something was not learned as declared.
  if (decision.kind === 'accepted') step.learns.parse(decision.learned);
  if (decision.kind === 'waiting') step.waits?.learns.parse(decision.learned);
  return decision;
}
