import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { DEAD_LETTERS } from '../../janitor/desk/letter.ts';
import { listLetters } from '../../janitor/desk/list-letters.ts';
import { createParking } from '../../janitor/desk/park-messages.ts';
import { examineSaga } from '../../janitor/one-order/examine-saga.ts';
import { sweep } from '../../janitor/sweep/sweep.ts';
import { pipeline, type Status } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { startWatchdog } from '../../saga/deliver/watchdog.ts';
import { LEDGERS } from '../../saga/ledger/ledger.ts';
import { listLedgers } from '../../saga/ledger/list-ledgers.ts';
import { watchLedgers } from '../../saga/ledger/watch-ledgers.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Store } from '../../saga/ports/store.ts';
import { holdsOf, isAmount } from '../../saga/step/holds.ts';
import { aDelivery, aLedger, aLedgerThatIs, TRACE } from '../support/builders.ts';
import { type RecordedPorts, recordedPorts } from '../support/recorded-ports.ts';

interface Field {
  readonly fieldPath: string;
  readonly order?: string;
  readonly arrayConfig?: string;
}

/** The emulator answers every query; Firestore only those that have an index. */
describe('The indexes of Firestore', () => {
  const text = readFileSync(new URL('infra/firestore.indexes.json', packageRoot), 'utf8');
  const { indexes, fieldOverrides } = JSON.parse(text) as {
    indexes: { collectionGroup: string; fields: readonly Field[] }[];
    fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[]; ttl?: boolean }[];
  };
  const nameOf = (collection: string, fields: readonly Field[]) =>
    [
      collection,
      ...fields.map(({ fieldPath, order, arrayConfig }) => `${fieldPath} ${order ?? arrayConfig}`),
    ].join(', ');

  /** A store that notes which index each of its answers needs. */
  function notingStore(): { store: Store; needed: Set<string> } {
    const memory = createMemoryStore();
    const needed = new Set<string>();
    /** Firestore finds equal fields in any order of them; in the file they are sorted. */
    const note = (collection: string, where: object, field: string, order: string, contains?: string) => {
      const equal = Object.keys(where)
        .sort()
        .map((fieldPath) => ({ fieldPath, order: 'ASCENDING' }));
      const ordered = [field, '__name__'].map((fieldPath) => ({ fieldPath, order }));
      const list = contains === undefined ? [] : [{ fieldPath: contains, arrayConfig: 'CONTAINS' }];
      needed.add(nameOf(collection, [...list, ...equal, ...ordered]));
    };
    const store: Store = {
      ...memory,
      query(query) {
        note(query.collection, query.where, 'createdAt', 'DESCENDING', query.contains?.field);
        return memory.query(query);
      },
      due(query) {
        note(query.collection, query.where, query.field, 'ASCENDING');
        return memory.due(query);
      },
      watchChanges(changes, ...listener) {
        note(changes.collection, changes.where, changes.field, 'ASCENDING');
        return memory.watchChanges(changes, ...listener);
      },
    };
    return { store, needed };
  }

  /** A subscription says nothing until the watchdog looks at the orders. */
  async function patrolOfTheWatchdog(ports: Ports & Pick<RecordedPorts, 'clock'>): Promise<void> {
    const silent = { subscription: 'a-sub', topic: 'a', inbox: { deliveredCount: () => 0 } };
    let looked = () => {};
    const isLookedAt = new Promise<void>((resolve) => {
      looked = resolve;
    });
    const store: Store = {
      ...ports.store,
      due(query) {
        looked();
        return ports.store.due(query);
      },
    };
    const stop = startWatchdog(pipeline, [silent], { ...ports, store }, () => {});
    await ports.clock.finish(isLookedAt);
    stop();
  }

  /** The fields that have no index of their own. */
  const exempt = fieldOverrides
    .filter((field) => field.indexes.length === 0)
    .map(({ collectionGroup, fieldPath }) => `${collectionGroup} ${fieldPath}`);

  it('are those that the code asks for, and no others', async () => {
    const { store, needed } = notingStore();
    const filters = [{}, ...pipeline.order.listedBy.map((field) => ({ [field]: 'jack' }))];
    for (const filter of filters) {
      await listLedgers(pipeline, store, filter, 10, undefined);
      await listLedgers(pipeline, store, { ...filter, status: pipeline.success }, 10, undefined);
    }
    await listLedgers(pipeline, store, { mentions: 'widget' }, 10, undefined);
    const ports = await recordedPorts();
    await sweep(pipeline, { ...ports, store });
    watchLedgers({ ...ports, store }, { ready() {}, tell() {}, fail() {} }).close();
    await patrolOfTheWatchdog({ ...ports, store });
    for (const reason of [undefined, 'It is poison'])
      await listLetters(store, { status: 'parked', reason }, 10, undefined);
    await examineSaga(pipeline, store, aLedger());
    expect(indexes.map(({ collectionGroup, fields }) => nameOf(collectionGroup, fields))).to.have.members([
      ...needed,
    ]);
  });

  /** What the code writes, with every field that there may be: collection and fields. */
  async function written(): Promise<[collection: string, fields: object][]> {
    const fields = {
      paymentError: 'true',
      fail: 'inventory',
      on_shortage: 'ask',
      mode: 'orchestration',
      trace: TRACE,
    } as const;
    const waiting = pipeline.steps.flatMap(({ waits }) => (waits ? aLedgerThatIs(waits.as as Status) : []));
    const paid = aLedgerThatIs(pipeline.success, fields);
    const { sweepAt } = aLedger();
    const ledger = Object.assign({}, ...waiting, paid, aLedgerThatIs('CANCELED', fields), { sweepAt });
    const records = holdsOf(pipeline, paid).flatMap((hold): [string, object][] =>
      isAmount(hold) ? [] : [[hold.path.split('/').at(-2) ?? '', hold.fields]],
    );
    const ports = await recordedPorts();
    await ports.clock.finish(createParking(pipeline, ports, topologyOf(pipeline))([aDelivery(paid)]));
    const letters = await ports.store.list(DEAD_LETTERS, 1);
    expect(letters).to.have.length(1);
    return [
      [LEDGERS, ledger],
      ...records,
      ...letters.map((letter): [string, object] => [DEAD_LETTERS, letter.fields]),
    ];
  }
  const fieldsWhere = async (isSo: (collection: string, field: string, value: unknown) => boolean) => {
    const found = (await written()).flatMap(([collection, fields]) =>
      Object.entries(fields)
        .filter(([field, value]) => isSo(collection, field, value))
        .map(([field]) => `${collection} ${field}`),
    );
    return [...new Set(found)];
  };
  /** What an order is about, apart from that by which orders are listed. */
  const unasked = [
    ...pipeline.orderFields.filter((field) => !pipeline.order.listedBy.includes(field)),
    ...pipeline.acts.flatMap(({ learns }) => Object.keys(learns.shape)),
  ];

  it('leave out what grows with time alone: it would limit a collection to some 500 writes a second', async () => {
    const moments = await fieldsWhere((_collection, _field, value) => value instanceof Date);
    expect(moments).to.include('payments createdAt');
    expect(exempt).to.include.members(moments);
  });

  it('leave out what is large or by which nobody asks, in the ledger and where it is copied, and nothing else', async () => {
    const isLarge = (value: unknown) => typeof value === 'object' && value !== null;
    const left = await fieldsWhere(
      (collection, field, value) =>
        isLarge(value) || (collection !== DEAD_LETTERS && unasked.includes(field)),
    );
    const largeTexts = ['sagas trace', 'sagas detail', 'sagas rewritten', 'dead-letters body'];
    expect(left).to.include.members(['sagas items', 'orders items', 'sagas lines', 'payments charged']);
    expect(exempt).to.have.members([...left, ...largeTexts]);
  });

  it('let ledgers and dead letters expire, and nothing else', () => {
    const expiring = fieldOverrides.filter(({ ttl }) => ttl);
    expect(
      expiring.map(({ collectionGroup, fieldPath }) => `${collectionGroup} ${fieldPath}`),
    ).to.have.members(['sagas expireAt', 'dead-letters expireAt']);
  });
});
