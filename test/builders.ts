import { type Documents, WorkingCopy } from '../saga/documents.ts';
import type { Saga } from '../saga/ledger.ts';
import { receive } from '../saga/ledger.ts';
import type { Order } from '../saga/order.ts';
import type { Path, Version, Versioned } from '../saga/store.ts';
import { deepFreeze } from './deep-freeze.ts';

/** Builders with one line of defaults: a spec says only what matters to it. Everything they make is frozen. */

export const UUID = '11111111-1111-4111-8111-111111111111';
export const NOW = new Date('2026-01-02T03:04:05.678Z');

/** Jack's order of two widgets, or what `fields` say instead. */
export const anOrder = (fields: Partial<Order> = {}): Order =>
  deepFreeze({ user: 'jack', items: [{ item: 'widget', quantity: 2 }], ...fields });

/** A ledger of that order, as the frontend received it, or what `fields` say instead. */
export const aSaga = (fields: Partial<Saga> = {}): Saga =>
  deepFreeze({ ...receive(fields.uuid ?? UUID, anOrder(), 'frontend', NOW), ...fields });

/** What a decision may look at. */
export function documentsOf(documents: Readonly<Record<Path, object>>): Documents {
  const version = 1 as unknown as Version;
  const found = new Map<Path, Versioned>(
    Object.entries(documents).map(([path, fields]) => [path, { fields: deepFreeze(fields), version }]),
  );
  const copy = new WorkingCopy();
  copy.load(found.keys(), found);
  return copy;
}
