import type { OrderLedger } from '../../pipeline.ts';
import type { Write } from '../../saga/commit/documents.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { complete, fail, type Ledger, ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import type { Path } from '../../saga/ports/store.ts';
import { changeOf } from '../../saga/step/holds.ts';
import { takeStep } from '../../saga/step/take-step.ts';
import type { Order } from '../../shop/order.ts';
import { anOrder, documentsOf, LATER, NOW, SETTINGS, uuidOf } from './builders.ts';
import { shopOfThree } from './shop-of-three.ts';

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
  /** The moment of each of its transitions, the first one is 0. */
  readonly at?: (transition: number) => Date;
}

/** Lets the steps themselves take an order so far. Returns its ledger. */
export function place(
  world: World,
  number: number,
  { done, end = 'stands', order = {}, at = (transition) => (transition > done + 1 ? LATER : NOW) }: Course,
): OrderLedger {
  const uuid = uuidOf(number);
  let ledger: Ledger = receive(shopOfThree, uuid, anOrder(order), 'frontend', at(0), DEADLINE_SECONDS);
  // Its first ledger holds nothing, so it is there before any step.
  world.set(ledgerPath(uuid), ledger);
  const take = (next: Ledger, by: Ledger) => {
    const change = changeOf(shopOfThree, by, next, documentsOf(Object.fromEntries(world)));
    if ('shortage' in change) throw new Error(`Refused: ${change.shortage.detail}`);
    apply(world, change.writes);
    return next;
  };
  for (const [index, step] of shopOfThree.steps.slice(0, done).entries()) {
    const documents = documentsOf(Object.fromEntries(world));
    const turn = takeStep(shopOfThree, step, ledger, documents, SETTINGS.declared, at(index + 1));
    if (turn.outcome !== 'accepted' || turn.ledger === undefined) throw new Error(`Refused: ${turn.detail}`);
    ledger = take(turn.ledger, ledger);
  }
  const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: at(done + 1) };
  if (end !== 'stands') ledger = take(fail(shopOfThree, ledger, failure), ledger);
  if (end === 'canceled') ledger = take(complete(shopOfThree, ledger, 'janitor', at(done + 2)), ledger);
  world.set(ledgerPath(uuid), ledger);
  return ledger as OrderLedger;
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
