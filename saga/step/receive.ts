import { isDeepStrictEqual } from 'node:util';
import type { InputFault } from '../input/input-faults.ts';
import { type Ledger, receive } from '../ledger/ledger.ts';
import type { Saga } from './saga.ts';
import type { LedgerTask } from './turn.ts';

/** An order that comes in. */
export interface Incoming {
  readonly uuid: string;
  readonly order: object;
  /** Whether the uuid was just drawn. Otherwise an order may already have it. */
  readonly isNew: boolean;
  /** Who accepts it. */
  readonly by: string;
  /** How long each of its stages may take. */
  readonly deadlineSeconds: number;
  /** The trace under which it comes, as a W3C traceparent. */
  readonly trace?: string | undefined;
}

/**
 * Accepts an order: a new ledger. Safe to repeat.
 * The turn's outcome is `accepted`; `duplicate` if the same order has come under this uuid before; `refused` if another one
 * has, or if the order was canceled before it came.
 */
export function receiveTask(saga: Saga, incoming: Incoming): LedgerTask {
  const { uuid, order, isNew, by, deadlineSeconds, trace } = incoming;
  return {
    uuid,
    isNew,
    take(ledger, _documents, now) {
      if (ledger === undefined) {
        return { outcome: 'accepted', ledger: receive(saga, uuid, order, by, now, deadlineSeconds, trace) };
      }
      return { outcome: isSameOrder(saga, ledger, order) ? 'duplicate' : 'refused', ledger };
    },
  };
}

/** What is wrong with the step that an order asks to refuse it: there is no such step. */
export function faultOfFailure({ order: { failsAt }, steps }: Saga, order: object): InputFault | undefined {
  if (failsAt === undefined) return undefined;
  const asked = order[failsAt as keyof typeof order];
  const names = steps.map(({ name }) => name);
  if (asked === undefined || names.includes(asked)) return undefined;
  return { field: failsAt, message: `must be one of ${names.join(', ')}` };
}

/** Whether the ledger is of this order. */
export const isSameOrder = (saga: Saga, ledger: Ledger, order: object): boolean =>
  saga.orderFields.every((field) =>
    isDeepStrictEqual(ledger[field as keyof typeof ledger], order[field as keyof typeof order]),
  );
