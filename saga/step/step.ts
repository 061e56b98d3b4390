import type { Order } from '../../shop/order.ts';
import type { Documents, Write } from '../commit/documents.ts';
import { isOverdue } from '../ledger/deadline.ts';
import {
  advance,
  doneSteps,
  type Facts,
  fail,
  leftBy,
  type Reason,
  type Saga,
  type Status,
  type StepName,
} from '../ledger/ledger.ts';
import type { Path } from '../ports/store.ts';
import type { Outcome, Reaction, Turn } from './reaction.ts';

/**
 * A step of the saga: a value, not a class. It says which documents it needs, what it makes of them, and how that
 * is taken back. All three functions are pure: the same input gives the same output, and nothing else happens.
 */
export interface Step {
  readonly name: StepName;
  /** The status in which the step runs, and the one that it leads to. */
  readonly from: Status;
  readonly to: Status;
  /** The documents that `decide` and `undo` look at. Records that they only create or remove need not be named. */
  reads(order: Order): readonly Path[];
  decide(saga: Saga, documents: Documents, now: Date): StepDecision;
  /** The exact inverse: gives back what the ledger says was taken, as a difference, and purges the step's records. */
  undo(saga: Saga, documents: Documents): readonly Write[];
}

/** Either the writes of the step and what the ledger learns, or a refusal: a business "no", not an error. */
export type StepDecision =
  | { readonly kind: 'accepted'; readonly writes: readonly Write[]; readonly facts: Facts }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string };

export const accept = (writes: readonly Write[], facts: Facts = {}): StepDecision => ({
  kind: 'accepted',
  writes,
  facts,
});

export const refuse = (reason: Reason, detail: string): StepDecision => ({ kind: 'refused', reason, detail });

/** What a step does with a message: nothing, unless the ledger stands exactly where the step begins. */
export function reactionOf(step: Step): Reaction {
  return {
    name: step.name,
    reads(saga, message) {
      const order = saga ?? message.order;
      return order && (saga === undefined || saga.status === step.from) ? step.reads(order) : [];
    },
    react(saga, _message, documents, now) {
      if (saga === undefined) {
        // The uuid is told beside it, so that the desk can count letters by their reason.
        return { outcome: 'parked', writes: [], detail: 'No order has the uuid of the message' };
      }
      if (saga.status === step.from) return take(step, saga, documents, now);
      return { outcome: outcomeWithoutTurn(step, saga), writes: [], saga };
    },
  };
}

/** Why a message does nothing: the step is over, the order is, or the step's time has not come. */
function outcomeWithoutTurn(step: Step, saga: Saga): Outcome {
  if (leftBy(saga, step.name)) return 'duplicate';
  if (saga.status === 'FAILING' || saga.status === 'CANCELED') return 'fenced';
  return doneSteps(saga).includes(step.name) ? 'duplicate' : 'ignored';
}

/** Runs a step on a ledger that stands where the step begins. Work that comes too late is refused. */
export function take(step: Step, saga: Saga, documents: Documents, now: Date): Turn {
  const decision = isOverdue(saga, now)
    ? refuse('DEADLINE_EXCEEDED', `The order stood as ${saga.status} for more than ${saga.deadlineSeconds} s`)
    : step.decide(saga, documents, now);
  if (decision.kind === 'refused') {
    const failing = fail(saga, step.name, decision.reason, decision.detail, now);
    return {
      outcome: 'refused',
      writes: [],
      saga: failing,
      detail: `${decision.reason}: ${decision.detail}`,
    };
  }
  return {
    outcome: 'accepted',
    writes: decision.writes,
    saga: advance(saga, step.name, step.to, decision.facts, now),
  };
}
