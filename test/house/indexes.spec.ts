import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { listOrders } from '../../frontend/list-orders.ts';
import { listLetters } from '../../janitor/desk/list-letters.ts';
import { examineSaga } from '../../janitor/one-order/examine-saga.ts';
import { sweep } from '../../janitor/sweep/sweep.ts';
import { createOrder } from '../../order/create-order.ts';
import { userPath } from '../../order/documents.ts';
import { packageRoot, readTopology } from '../../programs/config.ts';
import type { Write } from '../../saga/commit/documents.ts';
import type { Store } from '../../saga/ports/store.ts';
import { aSaga, documentsOf, NOW } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

interface Field {
  readonly fieldPath: string;
  readonly order: string;
}

const fieldsWritten = (write: Write): string[] => ('fields' in write ? Object.keys(write.fields) : []);

/** The emulator answers every query; Firestore only those that have an index. */
describe('The indexes of Firestore', () => {
  const text = readFileSync(new URL('infra/firestore.indexes.json', packageRoot), 'utf8');
  const { indexes, fieldOverrides } = JSON.parse(text) as {
    indexes: { collectionGroup: string; fields: readonly Field[] }[];
    fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[]; ttl?: boolean }[];
  };
  const nameOf = (collection: string, fields: readonly Field[]) =>
    [collection, ...fields.map(({ fieldPath, order }) => `${fieldPath} ${order}`)].join(', ');

  /** A store that notes which index each of its answers needs. */
  function notingStore(): { store: Store; needed: Set<string> } {
    const memory = createMemoryStore();
    const needed = new Set<string>();
    /** Firestore finds equal fields in any order of them; in the file they are sorted. */
    const note = (collection: string, where: object, field: string, order: string) => {
      const equal = Object.keys(where)
        .sort()
        .map((fieldPath) => ({ fieldPath, order: 'ASCENDING' }));
      const ordered = [field, '__name__'].map((fieldPath) => ({ fieldPath, order }));
      needed.add(nameOf(collection, [...equal, ...ordered]));
    };
    const store: Store = {
      ...memory,
      query(query) {
        note(query.collection, query.where, 'createdAt', 'DESCENDING');
        return memory.query(query);
      },
      due(query) {
        note(query.collection, query.where, query.field, 'ASCENDING');
        return memory.due(query);
      },
    };
    return { store, needed };
  }

  /** The fields that have no index of their own. */
  const exempt = fieldOverrides
    .filter((field) => field.indexes.length === 0)
    .map(({ collectionGroup, fieldPath }) => `${collectionGroup} ${fieldPath}`);

  it('are those that the code asks for, and no others', async () => {
    const { store, needed } = notingStore();
    for (const user of [undefined, 'jack']) {
      for (const status of [undefined, 'PAID'] as const)
        await listOrders(store, { user, status }, 10, undefined);
    }
    await sweep({ ...(await recordedPorts()), store }, readTopology());
    for (const reason of [undefined, 'It is poison'])
      await listLetters(store, { status: 'parked', reason }, 10, undefined);
    await examineSaga(store, aSaga());
    expect(indexes.map(({ collectionGroup, fields }) => nameOf(collectionGroup, fields))).to.have.members([
      ...needed,
    ]);
  });

  it('leave out what grows with time alone: it would limit a collection to some 500 writes a second', () => {
    expect(exempt.filter((field) => field.endsWith('At'))).to.have.members([
      'sagas createdAt',
      'sagas expireAt',
      'sagas sweepAt',
      'orders createdAt',
      'payments createdAt',
      'dead-letters createdAt',
      'dead-letters expireAt',
    ]);
  });

  it('leave out what is large and by which nobody asks', () => {
    expect(exempt.filter((field) => !field.endsWith('At'))).to.have.members([
      'sagas history',
      'sagas trace',
      'sagas items',
      'sagas detail',
      'sagas paymentError',
      'orders items',
      'orders paymentError',
      'dead-letters attributes',
      'dead-letters body',
      'dead-letters history',
    ]);
  });

  it("leave out of the customer's copy of an order what they leave out of its ledger", () => {
    const saga = aSaga({ paymentError: 'true' });
    const decision = createOrder.decide(saga, documentsOf({ [userPath(saga.user)]: {} }), NOW);
    const copied = decision.kind === 'accepted' ? decision.writes.flatMap(fieldsWritten) : [];
    const without = (collection: string) =>
      copied.filter((field) => exempt.includes(`${collection} ${field}`));
    expect(without('orders')).to.deep.equal(without('sagas'));
    expect(without('orders')).to.include.members(['items', 'paymentError']);
  });

  it('let ledgers and dead letters expire, and nothing else', () => {
    const expiring = fieldOverrides.filter(({ ttl }) => ttl);
    expect(
      expiring.map(({ collectionGroup, fieldPath }) => `${collectionGroup} ${fieldPath}`),
    ).to.have.members(['sagas expireAt', 'dead-letters expireAt']);
  });
});
