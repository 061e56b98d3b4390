import { reserveStock } from '../../inventory/reserve-stock.ts';
import { compensate } from '../../janitor/compensate.ts';
import { createOrder } from '../../order/create-order.ts';
import { chargeCustomer } from '../../payments/charge-customer.ts';
import type { Write } from '../../saga/commit/documents.ts';
import { fail, receive, type Saga, sagaPath } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { take } from '../../saga/step/step.ts';
import type { Order } from '../../shop/order.ts';
import { anOrder, documentsOf, LATER, NOW, uuidOf } from './builders.ts';

/** Documents as the services themselves leave them, for a spec to look at and to break. */
export type World = Map<Path, object>;

/** Users and stock, untouched. */
export const aWorld = (): World =>
  new Map<Path, object>([
    ['users/jack', { address: '1 Hill Road' }],
    ['users/joe', { address: '3 Mill Lane', credit: 1000, credit_limit: 1000 }],
    ['inventory/widget', { quantity: 100, price_per_unit: 5, loaded: 100 }],
    ['inventory/gadget', { quantity: 50, price_per_unit: 7, loaded: 50 }],
  ]);

/** How far an order comes, and whether it then stands, fails, or is canceled. */
export interface Course {
  /** How many steps are done, 0 to 3. */
  readonly done: number;
  readonly end?: 'stands' | 'failing' | 'canceled';
  readonly order?: Partial<Order>;
}

/** Lets the steps themselves take an order so far. Returns its ledger. */
export function place(world: World, number: number, { done, end = 'stands', order = {} }: Course): Saga {
  let saga = receive(uuidOf(number), anOrder(order), 'frontend', NOW);
  for (const step of [createOrder, reserveStock, chargeCustomer()].slice(0, done)) {
    const turn = take(step, saga, documentsOf(Object.fromEntries(world)), NOW);
    if (turn.outcome !== 'accepted' || turn.saga === undefined) throw new Error(`Refused: ${turn.detail}`);
    apply(world, turn.writes);
    saga = turn.saga;
  }
  if (end !== 'stands') saga = fail(saga, 'frontend', 'CANCELED_BY_CUSTOMER', 'No', NOW);
  if (end === 'canceled') {
    const turn = compensate.react(saga, { uuid: saga.uuid }, documentsOf(Object.fromEntries(world)), LATER);
    apply(world, turn.writes);
    saga = turn.saga ?? saga;
  }
  world.set(sagaPath(saga.uuid), saga);
  return saga;
}

function apply(world: World, writes: readonly Write[]): void {
  for (const write of writes) {
    if (write.kind === 'remove') world.delete(write.path);
    else world.set(write.path, { ...world.get(write.path), ...write.fields });
  }
}

/** Changes fields of a document, as somebody might do by hand. */
export function edit(world: World, path: Path, fields: object): void {
  world.set(path, { ...world.get(path), ...fields });
}
