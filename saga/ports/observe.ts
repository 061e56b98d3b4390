import type { Ledger } from '../ledger/ledger.ts';

/** What happens in a saga, as events for telemetry. Nothing in the saga depends on being observed. */

/** Something was made of an order, or of a message: a step was done, it was refused, it was parked. */
export interface TurnEvent {
  readonly kind: 'turn';
  /** Who did it. */
  readonly by: string;
  /** What became of it, in one word. */
  readonly outcome: string;
  readonly uuid?: string | undefined;
  /** The trace of the order, as a W3C traceparent. */
  readonly trace?: string | undefined;
  /** Which delivery of its message this was, from 1; absent if no message asked for it. */
  readonly attempt?: number;
  readonly durationMs?: number;
  /** Why it failed and will be repeated. */
  readonly error?: string | undefined;
}

/** Ledgers were committed, all at once. */
export interface CommitEvent {
  readonly kind: 'commit';
  /** Who moved them. */
  readonly by: string;
  /** Each ledger before (absent if it is new) and after. */
  readonly ledgers: readonly { readonly before: Ledger | undefined; readonly after: Ledger }[];
}

/** What became of a dead letter. */
export interface LetterEvent {
  readonly kind: 'letter';
  readonly status: string;
}

export type SagaEvent = TurnEvent | CommitEvent | LetterEvent;

/**
 * Gets every event. Must not throw.
 * @returns the event's place in a trace, as a W3C traceparent, for the log; undefined if it is not traced.
 */
export type Observe = (event: SagaEvent) => string | undefined;
