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

export interface Transition {
  readonly at: string;
  readonly status: string;
  readonly by: string;
  readonly person?: string;
  readonly note?: string;
  readonly reason?: string;
  readonly detail?: string;
}

/** An amount of an account, which has a name, or a record, which has a path. */
export interface Took {
  readonly step: string;
  readonly kind: string;
  readonly name?: string;
  readonly amount?: number;
  readonly path?: string;
}

/** The statuses that the kernel gives every saga. */
export const FAILING = 'FAILING';
export const CANCELED = 'CANCELED';
export const PAUSED = 'PAUSED';
export const RECEIVED = 'RECEIVED';
export const RESUMED = 'RESUMED';

/** What one of the order's lines costs; undefined until its price is known. */
export const costOf = ({ quantity, price_per_unit }: Line): number | undefined =>
  price_per_unit === undefined ? undefined : quantity * price_per_unit;
