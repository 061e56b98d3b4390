import { v4 as uuidv4 } from 'uuid';
import { pipeline } from '../../pipeline.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { type Ledger, ledgerPath, receive } from '../../saga/ledger/ledger.ts';
import type { Store } from '../../saga/ports/store.ts';
import { anOrder } from './builders.ts';

/** An order as it was received just now. */
export const aReceivedOrder = (user = 'jack', now = new Date()): Ledger =>
  receive(pipeline, uuidv4(), anOrder({ user }), 'frontend', now, DEADLINE_SECONDS);

/** Puts such an order into the store. It stands, because no message of it is on its way. @returns its uuid. */
export async function standingOrder({ store }: { readonly store: Store }, user?: string): Promise<string> {
  const fields = aReceivedOrder(user);
  await store.commit([{ kind: 'create', path: ledgerPath(fields.uuid), fields }]);
  return fields.uuid;
}
