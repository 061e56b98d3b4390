import type { z } from 'zod';
import type { transitionSchema } from '../../../saga/http/answers.ts';
import type { Took } from '../../../saga/step/took.ts';

export type { Took };

/** An order as `GET /order/{uuid}` answers it. Fields that this shop alone has are optional: a fork may have others. */
export interface Order {
  readonly uuid: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly user?: string;
  readonly items?: readonly Line[];
  readonly total_invoice?: number;
  readonly delivery_cost?: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deadlineAt?: string;
  readonly history: readonly Transition[];
  /** What each step made the order hold; only of a single order. */
  readonly took?: readonly Took[];
}

export interface Line {
  readonly item: string;
  readonly quantity: number;
  readonly price_per_unit?: number;
}

/** One line of its history, as JSON has it. */
export type Transition = z.input<ReturnType<typeof transitionSchema>>;

/** The statuses that the kernel gives every saga. */
export const FAILING = 'FAILING';
export const CANCELED = 'CANCELED';
export const PAUSED = 'PAUSED';
export const RECEIVED = 'RECEIVED';
export const RESUMED = 'RESUMED';

/** What one of the order's lines costs; undefined until its price is known. */
export const costOf = ({ quantity, price_per_unit }: Line): number | undefined =>
  price_per_unit === undefined ? undefined : quantity * price_per_unit;
