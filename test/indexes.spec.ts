import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../adapters/config.ts';
import { createMemoryStore } from '../adapters/memory-store.ts';
import { listOrders } from '../frontend/list-orders.ts';
import type { Query } from '../saga/store.ts';

interface Index {
  readonly collectionGroup: string;
  readonly fields: readonly { readonly fieldPath: string; readonly order: string }[];
}

/** The emulator answers every query; Firestore only those that have an index. */
describe('The indexes of Firestore', () => {
  const text = readFileSync(new URL('infra/firestore.indexes.json', packageRoot), 'utf8');
  const { indexes, fieldOverrides } = JSON.parse(text) as {
    indexes: Index[];
    fieldOverrides: { fieldPath: string; indexes: unknown[]; ttl?: boolean }[];
  };

  it('serve every way in which orders are listed', async () => {
    const asked: Query[] = [];
    const memory = createMemoryStore();
    const store = {
      ...memory,
      query: (query: Query) => {
        asked.push(query);
        return memory.query(query);
      },
    };
    for (const user of [undefined, 'jack']) {
      for (const status of [undefined, 'PAID'] as const)
        await listOrders(store, { user, status }, 10, undefined);
    }
    const wanted = asked.map(({ collection, where }) => [collection, ...Object.keys(where).sort()].join());
    const served = indexes.map(({ collectionGroup, fields }) => {
      const equalities = fields
        .filter(({ order }) => order === 'ASCENDING')
        .map(({ fieldPath }) => fieldPath);
      return [collectionGroup, ...equalities.sort()].join();
    });
    expect([...new Set(wanted)].sort()).to.deep.equal(served.sort());
    for (const { fields } of indexes) {
      expect(fields.slice(-2)).to.deep.equal([
        { fieldPath: 'createdAt', order: 'DESCENDING' },
        { fieldPath: '__name__', order: 'DESCENDING' },
      ]);
    }
  });

  it('leave out what grows with time alone, and let ledgers expire', () => {
    const exempt = fieldOverrides
      .filter((field) => field.indexes.length === 0)
      .map(({ fieldPath }) => fieldPath);
    expect(exempt).to.include.members(['createdAt', 'expireAt']);
    expect(fieldOverrides.filter(({ ttl }) => ttl).map(({ fieldPath }) => fieldPath)).to.deep.equal([
      'expireAt',
    ]);
  });
});
