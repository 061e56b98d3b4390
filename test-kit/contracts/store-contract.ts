import { expect } from 'chai';
import {
  type Cursor,
  type DueQuery,
  type GuardedWrite,
  type Path,
  type Query,
  readOne,
  type Snapshot,
  type Store,
  type StoredDocument,
  StoreError,
  type StoreErrorKind,
  type Version,
} from '../../saga/ports/store.ts';
import { deepFreeze } from '../deep-freeze.ts';

const create = (path: Path, fields: object): GuardedWrite => ({ kind: 'create', path, fields });
const update = (path: Path, version: Version, fields: object): GuardedWrite => ({
  kind: 'update',
  path,
  fields,
  version,
});
const remove = (path: Path, version?: Version): GuardedWrite =>
  version === undefined ? { kind: 'remove', path } : { kind: 'remove', path, version };

/** The result of a request: `done`, or the kind of error. */
export async function outcomeOf(request: Promise<unknown>): Promise<'done' | StoreErrorKind> {
  try {
    await request;
    return 'done';
  } catch (error) {
    if (error instanceof StoreError) return error.kind;
    throw error;
  }
}

/** What a watch tells, one after the other. */
function heard<T>() {
  const told: { readonly what: T }[] = [];
  let wake = () => {};
  let failure: StoreError | undefined;
  return {
    hear(what: T) {
      told.push({ what });
      wake();
    },
    fail(error: StoreError) {
      failure = error;
      wake();
    },
    /** The next one; waits for it. */
    async next(): Promise<T> {
      for (;;) {
        const first = told.shift();
        if (first) return first.what;
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    /** How many were not asked for. */
    untold: () => told.length,
  };
}

async function versionOf(store: Store, path: Path): Promise<Version> {
  const document = (await store.read([path])).get(path);
  if (document === undefined) throw new Error(`${path} does not exist`);
  return document.version;
}

/**
 * The contract of a store: what the comments of `saga/ports/store.ts` promise, as tests for mocha.
 * @param name of the implementation, for the titles.
 * @param open returns an empty store; called once, in a hook, whose context it may skip.
 */
export function storeContract(name: string, open: (context: Mocha.Context) => Promise<Store>): void {
  describe(`The store on ${name}`, () => {
    let store: Store;
    before(async function () {
      store = await open(this);
    });
    after(() => store?.close());

    /** Every test has a collection of its own. */
    let collection: string;
    let collectionCount = 0;
    beforeEach(() => {
      collectionCount++;
      collection = `collection-${collectionCount}`;
    });
    const at = (id: string | number): Path => `${collection}/${id}`;
    const fieldsAt = (id: string | number) => readOne(store, at(id));
    /** Creates a document and returns the version in which it then is. */
    async function given(id: string, fields: object = { n: 1 }): Promise<Version> {
      await store.commit([create(at(id), fields)]);
      return versionOf(store, at(id));
    }

    describe('read', () => {
      it('answers with the documents that there are, and leaves out those that there are not', async () => {
        await store.commit([create(at('a'), { n: 1 }), create(at('b'), { n: 2 })]);
        const found = await store.read([at('a'), at('nothing'), at('b'), at('a')]);
        expect([...found.keys()].toSorted()).to.deep.equal([at('a'), at('b')]);
        expect(found.get(at('a'))?.fields).to.deep.equal({ n: 1 });
        expect(found.get(at('b'))?.fields).to.deep.equal({ n: 2 });
        expect([...(await store.read([]))]).to.deep.equal([]);
      });

      it('reads a whole batch of documents at once, each under its own path', async () => {
        const ids = Array.from({ length: 500 }, (_, n) => n);
        await store.commit(ids.map((n) => create(at(n), { n })));
        const found = await store.read(ids.flatMap((n) => [at(n), at(`no-${n}`)]));
        expect(found.size).to.equal(ids.length);
        expect(ids.map((n) => found.get(at(n))?.fields)).to.deep.equal(ids.map((n) => ({ n })));
      });

      it('tells apart documents of the same name at different depths', async () => {
        const paths = [at('jack'), `${at('jack')}/orders/1`, `${at('joe')}/orders/1`];
        await store.commit(paths.map((path) => create(path, { path })));
        for (const path of paths) expect(await readOne(store, path)).to.deep.equal({ path });
        expect(await fieldsAt('joe')).to.equal(undefined);
      });
    });

    describe('what a document holds', () => {
      it('comes back as it was written', async () => {
        const fields = deepFreeze({
          text: 'Grüße, 世界 🎁 "quoted" \\ \n \u0000',
          empty: '',
          yes: true,
          no: false,
          nothing: null,
          integer: Number.MAX_SAFE_INTEGER,
          negative: -1,
          fraction: 52.520008,
          emptyList: [],
          emptyMap: {},
          items: [
            { item: 'widget', quantity: 2, tags: ['a', 'b'] },
            { item: 'wotsit', parts: [{ name: 'cog', sizes: [{ mm: 1 }, { mm: 2 }] }] },
          ],
          map: { 'a.b': { 'payment-error': null, '/`~*[]': 1 } },
        });
        await given('a', fields);
        expect(await fieldsAt('a')).to.deep.equal(fields);
      });

      it('keeps a moment as a Date, to the millisecond and at any depth', async () => {
        const at1 = new Date('2026-01-02T03:04:05.678Z');
        const at2 = new Date('1969-12-31T23:59:59.999Z');
        await given('a', { at1, deep: { history: [{ at2, by: 'order' }] } });
        expect(await fieldsAt('a')).to.deep.equal({ at1, deep: { history: [{ at2, by: 'order' }] } });
        await store.commit([update(at('a'), await versionOf(store, at('a')), { at1: at2 })]);
        expect(await fieldsAt('a')).to.deep.equal({ at1: at2, deep: { history: [{ at2, by: 'order' }] } });
      });

      it('has no field where a field is undefined', async () => {
        await given('a', {
          n: 1,
          none: undefined,
          map: { m: 1, none: undefined },
          list: [{ m: 1, none: undefined }],
        });
        expect(await fieldsAt('a')).to.deep.equal({ n: 1, map: { m: 1 }, list: [{ m: 1 }] });
      });

      it('does not change with the object from which it was written', async () => {
        const fields = { n: 1, items: [{ quantity: 1 }], at: new Date(0) };
        await given('a', fields);
        fields.n = 2;
        for (const item of fields.items) item.quantity = 2;
        fields.at.setTime(1);
        expect(await fieldsAt('a')).to.deep.equal({ n: 1, items: [{ quantity: 1 }], at: new Date(0) });
      });
    });

    describe('create', () => {
      it('demands that there is no such document', async () => {
        expect(await outcomeOf(store.commit([create(at('a'), { n: 1 })]))).to.equal('done');
        expect(await outcomeOf(store.commit([create(at('a'), { n: 2 })]))).to.equal('conflict');
        expect(await fieldsAt('a')).to.deep.equal({ n: 1 });
      });

      it('makes a document without fields', async () => {
        await given('a', {});
        expect(await fieldsAt('a')).to.deep.equal({});
      });
    });

    describe('update', () => {
      it('replaces the fields that it names, whatever their names, and leaves the others', async () => {
        const version = await given('a', { kept: 1, 'payment-error': 1, 'a.b': 1, a: { b: 1 }, '`': 1 });
        await store.commit([
          update(at('a'), version, { 'payment-error': [2], 'a.b': 2, '`': 2, 'new one': 2 }),
        ]);
        expect(await fieldsAt('a')).to.deep.equal({
          kept: 1,
          'payment-error': [2],
          'a.b': 2,
          a: { b: 1 },
          '`': 2,
          'new one': 2,
        });
      });

      it('replaces a map as a whole', async () => {
        const version = await given('a', { map: { old: 1, both: 1, deep: { old: 1 } } });
        await store.commit([update(at('a'), version, { map: { both: 2, deep: {} } })]);
        expect(await fieldsAt('a')).to.deep.equal({ map: { both: 2, deep: {} } });
      });

      it('leaves a field that is undefined', async () => {
        const version = await given('a', { n: 1, kept: 1 });
        await store.commit([update(at('a'), version, { n: 2, kept: undefined, none: undefined })]);
        expect(await fieldsAt('a')).to.deep.equal({ n: 2, kept: 1 });
      });

      it('that names no field is rejected', async () => {
        const version = await given('a');
        expect(await outcomeOf(store.commit([update(at('a'), version, {})]))).to.equal('rejected');
        expect(await outcomeOf(store.commit([update(at('a'), version, { n: undefined })]))).to.equal(
          'rejected',
        );
        expect(await fieldsAt('a')).to.deep.equal({ n: 1 });
      });

      it('[anomaly 21] demands the version that was read', async () => {
        const stale = await given('a');
        await store.commit([update(at('a'), stale, { n: 2 })]);
        expect(await outcomeOf(store.commit([update(at('a'), stale, { n: 3 })]))).to.equal('conflict');
        expect(await fieldsAt('a')).to.deep.equal({ n: 2 });
      });

      it('[anomaly 9] does not bring back a document that was removed', async () => {
        const version = await given('a');
        await store.commit([remove(at('a'), version)]);
        expect(await outcomeOf(store.commit([update(at('a'), version, { n: 2 })]))).to.equal('conflict');
        expect(await fieldsAt('a')).to.equal(undefined);
      });
    });

    describe('remove', () => {
      it('demands the version that was read', async () => {
        const stale = await given('a');
        await store.commit([update(at('a'), stale, { n: 2 })]);
        expect(await outcomeOf(store.commit([remove(at('a'), stale)]))).to.equal('conflict');
        expect(await fieldsAt('a')).to.deep.equal({ n: 2 });
        expect(await outcomeOf(store.commit([remove(at('a'), await versionOf(store, at('a')))]))).to.equal(
          'done',
        );
        expect(await fieldsAt('a')).to.equal(undefined);
      });

      it('with a version demands that the document is still there', async () => {
        const version = await given('a');
        await store.commit([remove(at('a'), version)]);
        expect(await outcomeOf(store.commit([remove(at('a'), version)]))).to.equal('conflict');
      });

      it('without a version removes whatever is there, or nothing', async () => {
        await given('a');
        expect(await outcomeOf(store.commit([remove(at('a')), remove(at('nothing'))]))).to.equal('done');
        expect(await fieldsAt('a')).to.equal(undefined);
        expect(await outcomeOf(store.commit([remove(at('a'))]))).to.equal('done');
      });

      it('leaves the documents below', async () => {
        await given('a');
        await store.commit([create(`${at('a')}/orders/1`, { n: 1 })]);
        await store.commit([remove(at('a'))]);
        expect(await readOne(store, `${at('a')}/orders/1`)).to.deep.equal({ n: 1 });
      });
    });

    describe('a version', () => {
      it('is the same in every read until the document changes, and another after that', async () => {
        const first = await given('a');
        await store.commit([update(at('a'), await versionOf(store, at('a')), { n: 2 })]);
        const second = await versionOf(store, at('a'));
        expect(second).not.to.deep.equal(first);
        expect(await versionOf(store, at('a'))).to.deep.equal(second);
      });

      it('does not change when another document does', async () => {
        const version = await given('a');
        await given('b');
        expect(await outcomeOf(store.commit([update(at('a'), version, { n: 2 })]))).to.equal('done');
      });

      it('never comes back, not even to a document that was made anew', async () => {
        const versions: Version[] = [];
        for (let round = 1; round <= 5; round++) {
          versions.push(await given('a'));
          await store.commit([remove(at('a'))]);
        }
        await given('a');
        for (const version of versions) {
          expect(await outcomeOf(store.commit([update(at('a'), version, { n: 2 })]))).to.equal('conflict');
          expect(await outcomeOf(store.commit([remove(at('a'), version)]))).to.equal('conflict');
        }
        expect(await fieldsAt('a')).to.deep.equal({ n: 1 });
      });
    });

    describe('commit', () => {
      it('applies writes of every kind together', async () => {
        const [toUpdate, toRemove] = [await given('updated'), await given('removed')];
        await store.commit([
          create(at('created'), { n: 2 }),
          update(at('updated'), toUpdate, { n: 2 }),
          remove(at('removed'), toRemove),
        ]);
        expect(
          [...(await store.read(['created', 'updated', 'removed'].map(at)))].map(([path]) => path),
        ).to.have.members([at('created'), at('updated')]);
        expect(await fieldsAt('updated')).to.deep.equal({ n: 2 });
      });

      it('applies five hundred writes at once, and nothing when there is nothing to write', async () => {
        await store.commit(Array.from({ length: 500 }, (_, n) => create(at(n), { n })));
        expect(await store.list(collection, 1000)).to.have.length(500);
        expect(await outcomeOf(store.commit([]))).to.equal('done');
      });

      const brokenGuards: readonly [string, (stale: Version) => GuardedWrite][] = [
        ['create', () => create(at('there'), { n: 3 })],
        ['update', (stale) => update(at('there'), stale, { n: 3 })],
        ['remove', (stale) => remove(at('there'), stale)],
      ];
      for (const [kind, broken] of brokenGuards) {
        it(`[anomaly 11] applies none of many writes when the guard of one ${kind} does not hold`, async () => {
          const stale = await given('there');
          await store.commit([update(at('there'), stale, { n: 2 })]);
          const [toUpdate, toRemove] = [await given('updated'), await given('removed')];
          const others = Array.from({ length: 20 }, (_, n) => create(at(n), { n }));
          const outcome = await outcomeOf(
            store.commit([
              ...others,
              update(at('updated'), toUpdate, { n: 2 }),
              broken(stale),
              remove(at('removed'), toRemove),
              remove(at('removed without a version')),
            ]),
          );
          expect(outcome).to.equal('conflict');
          expect(await store.list(collection, 100)).to.deep.equal([
            { id: 'removed', fields: { n: 1 } },
            { id: 'there', fields: { n: 2 } },
            { id: 'updated', fields: { n: 1 } },
          ]);
          // The versions have not moved either: what was read can still be committed.
          expect(await outcomeOf(store.commit([update(at('updated'), toUpdate, { n: 2 })]))).to.equal('done');
        });
      }

      it('[anomaly 19] that is repeated after it went through is a conflict, and a read shows our own write', async () => {
        const [toUpdate, toRemove] = [await given('updated'), await given('removed')];
        const commits: GuardedWrite[][] = [
          [create(at('created'), { by: 'us' })],
          [update(at('updated'), toUpdate, { by: 'us' })],
          [remove(at('removed'), toRemove)],
        ];
        for (const writes of commits) {
          expect(await outcomeOf(store.commit(writes))).to.equal('done');
          expect(await outcomeOf(store.commit(writes))).to.equal('conflict');
        }
        expect(await store.list(collection, 10)).to.deep.equal([
          { id: 'created', fields: { by: 'us' } },
          { id: 'updated', fields: { n: 1, by: 'us' } },
        ]);
      });

      it('[anomaly 3] lets exactly one of two writers win who race for a document', async () => {
        let version = await given('a', { winner: 'nobody' });
        for (let round = 1; round <= 10; round++) {
          const outcomes = await Promise.all(
            [0, 1].map((n) =>
              outcomeOf(store.commit([update(at('a'), version, { winner: `${round}/${n}` })])),
            ),
          );
          expect(outcomes).to.have.members(['done', 'conflict']);
          expect(await fieldsAt('a')).to.deep.equal({ winner: `${round}/${outcomes.indexOf('done')}` });
          version = await versionOf(store, at('a'));
        }
      });

      it('[anomaly 3] lets exactly one of two writers create a document', async () => {
        for (let round = 1; round <= 10; round++) {
          const outcomes = await Promise.all(
            [0, 1].map((n) => outcomeOf(store.commit([create(at(round), { n })]))),
          );
          expect(outcomes).to.have.members(['done', 'conflict']);
          expect(await fieldsAt(round)).to.deep.equal({ n: outcomes.indexOf('done') });
        }
      });

      it('lets exactly one of two writers win who take two documents in opposite order', async () => {
        await store.commit([create(at('a'), { n: 0 }), create(at('b'), { n: 0 })]);
        for (let round = 1; round <= 5; round++) {
          const found = await store.read([at('a'), at('b')]);
          const writes = [...found].map(
            ([path, { version }]) =>
              (n: string) =>
                update(path, version, { n }),
          );
          const outcomes = await Promise.all([
            outcomeOf(store.commit(writes.map((write) => write(`${round}/0`)))),
            outcomeOf(store.commit(writes.toReversed().map((write) => write(`${round}/1`)))),
          ]);
          expect(outcomes).to.have.members(['done', 'conflict']);
          const winner = { n: `${round}/${outcomes.indexOf('done')}` };
          expect([await fieldsAt('a'), await fieldsAt('b')]).to.deep.equal([winner, winner]);
        }
      });

      it('[anomaly 14] loses no update of many writers who read and write again after a conflict', async () => {
        await given('a', { n: 0 });
        async function increment(): Promise<void> {
          for (;;) {
            const document = (await store.read([at('a')])).get(at('a'));
            if (document === undefined) throw new Error('The counter is gone');
            const { n } = document.fields as { n: number };
            const outcome = await outcomeOf(store.commit([update(at('a'), document.version, { n: n + 1 })]));
            if (outcome === 'done') return;
            expect(outcome).to.equal('conflict');
          }
        }
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let turn = 1; turn <= 5; turn++) await increment();
          }),
        );
        expect(await fieldsAt('a')).to.deep.equal({ n: 40 });
      });
    });

    describe('a request that can never work is rejected', () => {
      const notDocuments: readonly (readonly [string, string])[] = [
        ['is empty', ''],
        ['names a collection', 'users'],
        ['names a collection below a document', 'users/jack/orders'],
        ['has an empty part', 'users//jack'],
        ['begins with a slash', '/users/jack'],
        ['ends with a slash', 'users/jack/'],
        ['names the place itself', 'users/.'],
        ['names the place above', 'users/..'],
        ['is reserved', 'users/__jack__'],
        ['has half of a surrogate pair', 'users/\ud83d'],
        ['is longer than Firestore takes', `users/${'é'.repeat(751)}`],
      ];
      for (const [fault, path] of notDocuments) {
        it(`[anomaly 42] when the path ${fault}`, async () => {
          await store.commit([remove('users/jack')]);
          await store.commit([create('users/jack', {})]);
          expect(await outcomeOf(store.read([at('a'), path]))).to.equal('rejected');
          const outcome = await outcomeOf(store.commit([create(at('a'), {}), create(path, {})]));
          expect(outcome).to.equal('rejected');
          expect(await outcomeOf(store.commit([remove(path)]))).to.equal('rejected');
          expect(await fieldsAt('a')).to.equal(undefined);
          expect(await readOne(store, 'users/jack')).to.deep.equal({});
        });
      }

      it('but a path may hold whatever else a name may', async () => {
        const ids = ['a b', 'é', '世界', '🎁', '*[]~`.', '...', '__', '__a', '%2F', 'é'.repeat(750)];
        await store.commit(ids.map((id) => create(at(id), { id })));
        for (const id of ids) expect(await fieldsAt(id)).to.deep.equal({ id });
      });

      it('when a document is larger than 1 MiB, and nothing else of the commit is applied', async () => {
        const halfMebibyte = 'x'.repeat(512 * 1024);
        expect(await outcomeOf(store.commit([create(at('fits'), { text: 'x'.repeat(1_000_000) })]))).to.equal(
          'done',
        );
        const outcome = await outcomeOf(
          store.commit([
            create(at('other'), {}),
            create(at('a'), { one: halfMebibyte, two: [halfMebibyte] }),
          ]),
        );
        expect(outcome).to.equal('rejected');
        expect((await store.list(collection, 10)).map(({ id }) => id)).to.deep.equal(['fits']);
      });

      it('when an update would make a document larger than 1 MiB', async () => {
        const halfMebibyte = 'x'.repeat(512 * 1024);
        const version = await given('a', { one: halfMebibyte });
        const outcome = await outcomeOf(store.commit([update(at('a'), version, { two: halfMebibyte })]));
        expect(outcome).to.equal('rejected');
        expect(await fieldsAt('a')).to.deep.equal({ one: halfMebibyte });
      });

      it('when a list stands directly in a list', async () => {
        expect(await outcomeOf(store.commit([create(at('a'), { list: [[1]] })]))).to.equal('rejected');
        expect(await outcomeOf(store.commit([create(at('a'), { map: { list: [[]] } })]))).to.equal(
          'rejected',
        );
        expect(await fieldsAt('a')).to.equal(undefined);
      });
    });

    describe('query', () => {
      type Listed = Cursor & { readonly user?: string; readonly shard?: number; readonly mentions?: unknown };
      /** Documents in a fixed but jumbled order, so that none is listed rightly by chance. */
      const list = (...documents: Listed[]) =>
        store.commit(
          documents
            .toSorted((one, other) => (JSON.stringify(one).length % 3) - (JSON.stringify(other).length % 3))
            .map((document) => create(at(document.id), document)),
        );
      const idsOf = (found: readonly object[]) => found.map((fields) => (fields as Listed).id);
      const query = (rest: Partial<Query> = {}) =>
        store.query({ collection, where: {}, limit: 100, ...rest });
      /** The ids, page by page, until a page is not full. */
      async function pagesOf(limit: number, onPage = async (_last: Listed): Promise<void> => {}) {
        const pages: string[][] = [];
        let after: Cursor | undefined;
        while (pages.length < 100) {
          const found = await query({ limit, ...(after && { after }) });
          pages.push(idsOf(found));
          const last = found.at(-1) as Listed | undefined;
          if (found.length < limit || last === undefined) return pages;
          after = { createdAt: last.createdAt, id: last.id };
          await onPage(last);
        }
        throw new Error('The pages never end');
      }
      const moment = (ms: number) => new Date(1_767_322_800_000 + ms);

      it('lists the newest first, to the millisecond, and the fields as they were written', async () => {
        const documents = [3, 1, 4, 0, 2].map((ms) => ({ id: `at-${ms}`, createdAt: moment(ms) }));
        await list(...documents);
        expect(await query()).to.deep.equal(documents.toSorted((one, other) => (one.id < other.id ? 1 : -1)));
      });

      it('lists only the fields that are wanted, also page by page', async () => {
        const documents = [0, 1, 2].map((ms) => ({ id: `at-${ms}`, createdAt: moment(ms), user: 'jack' }));
        await list(...documents);
        const fields = ['id', 'user'];
        const after = { createdAt: moment(2), id: 'at-2' };
        expect(await query({ fields, after, limit: 1 })).to.deep.equal([{ id: 'at-1', user: 'jack' }]);
      });

      it('lists what is equally old by descending id, by code point', async () => {
        const ids = ['10', '9', 'Z', 'a', 'é', '\uff5e', '😀'];
        await list(...ids.map((id) => ({ id, createdAt: moment(0) })));
        expect(idsOf(await query())).to.deep.equal(ids.toReversed());
      });

      it('lists only documents whose fields equal all that is asked for', async () => {
        const createdAt = moment(0);
        await list(
          { id: 'a', createdAt, user: 'jack', shard: 1 },
          { id: 'b', createdAt, user: 'jack', shard: 2 },
          { id: 'c', createdAt, user: 'joe', shard: 1 },
          { id: 'd', createdAt, user: '1' },
          { id: 'e', createdAt },
        );
        expect(idsOf(await query({ where: { user: 'jack' } }))).to.deep.equal(['b', 'a']);
        expect(idsOf(await query({ where: { shard: 1 } }))).to.deep.equal(['c', 'a']);
        expect(idsOf(await query({ where: { user: 'jack', shard: 1 } }))).to.deep.equal(['a']);
        expect(idsOf(await query({ where: { user: 1 } }))).to.deep.equal([]);
        expect(idsOf(await query({ where: { user: 'nobody' } }))).to.deep.equal([]);
      });

      it('lists only documents with a list that has the value in it, newest first, page by page', async () => {
        const contains = { field: 'mentions', value: 'widget' };
        await list(
          { id: 'a', createdAt: moment(1), shard: 1, mentions: ['widget'] },
          { id: 'b', createdAt: moment(3), shard: 1, mentions: ['wotsit', 'widget', 'widget'] },
          { id: 'c', createdAt: moment(2), shard: 2, mentions: ['a', 'b', 'widget'] },
          { id: 'd', createdAt: moment(0), shard: 1, mentions: ['wotsit', 'widgets'] },
          { id: 'e', createdAt: moment(0), shard: 1, mentions: 'widget' },
          { id: 'f', createdAt: moment(0), shard: 1, mentions: [{ item: 'widget' }] },
          { id: 'g', createdAt: moment(0), shard: 1, mentions: [] },
          { id: 'h', createdAt: moment(0), shard: 1 },
        );
        expect(idsOf(await query({ contains }))).to.deep.equal(['b', 'c', 'a']);
        expect(idsOf(await query({ contains, where: { shard: 1 } }))).to.deep.equal(['b', 'a']);
        const after = { createdAt: moment(3), id: 'b' };
        expect(idsOf(await query({ contains, after, limit: 1 }))).to.deep.equal(['c']);
        expect(idsOf(await query({ contains: { field: 'mentions', value: 1 } }))).to.deep.equal([]);
      });

      it('lists one collection, not those below it or of a similar name', async () => {
        const document = { id: 'a', createdAt: moment(0) };
        await list(document);
        await store.commit([
          create(`${at('a')}/${collection}/b`, { ...document, id: 'b' }),
          create(`${at('a')}/orders/c`, { ...document, id: 'c' }),
          create(`${collection}-2/d`, { ...document, id: 'd' }),
        ]);
        expect(idsOf(await query())).to.deep.equal(['a']);
        expect(idsOf(await query({ collection: `${at('a')}/orders` }))).to.deep.equal(['c']);
        expect(idsOf(await query({ collection: 'nothing' }))).to.deep.equal([]);
      });

      it('leaves out what has no createdAt', async () => {
        await list({ id: 'a', createdAt: moment(0) });
        await given('b');
        expect(idsOf(await query())).to.deep.equal(['a']);
      });

      it('returns at most as many as it was asked for', async () => {
        await list(...[1, 2, 3].map((n) => ({ id: `${n}`, createdAt: moment(n) })));
        expect(idsOf(await query({ limit: 2 }))).to.deep.equal(['3', '2']);
        expect(idsOf(await query({ limit: 1000 }))).to.deep.equal(['3', '2', '1']);
      });

      it('pages without a gap or a repeat, also where many are equally old', async () => {
        // Three at each moment, so that pages of two end within, at and between ties.
        const documents = Array.from({ length: 12 }, (_, n) => ({
          id: `${n}`.padStart(2, '0'),
          createdAt: moment(Math.floor(n / 3)),
        }));
        await list(...documents);
        const expected = documents.map(({ id }) => id).toReversed();
        for (const limit of [1, 2, 5, 12]) {
          const pages = await pagesOf(limit);
          expect(pages.flat()).to.deep.equal(expected);
          expect(pages.slice(0, -1).every((page) => page.length === limit)).to.equal(true);
        }
      });

      it('pages on behind a document that was removed meanwhile, and past newer ones', async () => {
        await list(...[1, 2, 3, 4].map((n) => ({ id: `${n}`, createdAt: moment(n) })));
        const pages = await pagesOf(2, async ({ id }) => {
          if (id !== '3') return;
          await store.commit([remove(at('3')), create(at('5'), { id: '5', createdAt: moment(5) })]);
        });
        expect(pages).to.deep.equal([['4', '3'], ['2', '1'], []]);
      });

      it('sees every commit that has returned', async () => {
        for (let n = 1; n <= 10; n++) {
          await list({ id: `${n}`, createdAt: moment(n) });
          expect(idsOf(await query({ limit: 1 }))).to.deep.equal([`${n}`]);
        }
      });
    });

    describe('due', () => {
      const moment = (ms: number) => new Date(1_767_322_800_000 + ms);
      const due = async (rest: Partial<DueQuery> = {}) => {
        const found = await store.due({
          collection,
          where: {},
          field: 'sweepAt',
          until: moment(0),
          limit: 100,
          ...rest,
        });
        return found.map(({ id }) => id);
      };
      const keep = (...documents: { readonly id: string; readonly sweepAt?: unknown; shard?: number }[]) =>
        store.commit(documents.map((document) => create(at(document.id), document)));

      it('lists what is due by then, to the millisecond, the earliest first, and the fields as they were written', async () => {
        const documents = [3, -1, 0, 1, -2].map((ms) => ({ id: `at ${ms}`, sweepAt: moment(ms) }));
        await keep(...documents);
        expect(await due()).to.deep.equal(['at -2', 'at -1', 'at 0']);
        const query = { collection, where: {}, field: 'sweepAt', until: moment(-2), limit: 10 };
        expect(await store.due(query)).to.deep.equal([
          { id: 'at -2', moment: moment(-2), fields: { id: 'at -2', sweepAt: moment(-2) } },
        ]);
      });

      it('pages without a gap or a repeat, also where many are due at the same moment', async () => {
        const ids = Array.from({ length: 25 }, (_, index) => `at ${String(index).padStart(2, '0')}`);
        await keep(...ids.map((id, index) => ({ id, sweepAt: moment(-Math.floor((24 - index) / 10)) })));
        const found: string[] = [];
        const query = { collection, where: {}, field: 'sweepAt', until: moment(0), limit: 4 };
        let page = await store.due(query);
        for (let after = page.at(-1); after !== undefined; after = page.at(-1)) {
          found.push(...page.map(({ id }) => id));
          page = await store.due({ ...query, after });
        }
        expect(found).to.deep.equal(ids);
      });

      it('lists what is due at the same moment by ascending id, by code point', async () => {
        const ids = ['10', '9', 'Z', 'a', 'é', '\uff5e', '😀'];
        await keep(...ids.toReversed().map((id) => ({ id, sweepAt: moment(0) })));
        expect(await due()).to.deep.equal(ids);
      });

      it('lists only documents whose fields equal all that is asked for', async () => {
        await keep(
          { id: 'a', sweepAt: moment(0), shard: 1 },
          { id: 'b', sweepAt: moment(0), shard: 2 },
          { id: 'c', sweepAt: moment(0) },
        );
        expect(await due({ where: { shard: 1 } })).to.deep.equal(['a']);
        expect(await due({ where: { shard: 3 } })).to.deep.equal([]);
      });

      it('leaves out what has no moment', async () => {
        const moments = [
          null,
          undefined,
          0,
          '2026-01-02T03:04:05.678Z',
          true,
          { at: moment(0) },
          [moment(0)],
        ];
        await keep(...moments.map((sweepAt, n) => ({ id: `${n}`, sweepAt })), {
          id: 'due',
          sweepAt: moment(-1),
        });
        expect(await due()).to.deep.equal(['due']);
      });

      it('lists one collection, not those below it or of a similar name', async () => {
        await keep({ id: 'a', sweepAt: moment(0) });
        await store.commit([
          create(`${at('a')}/${collection}/b`, { id: 'b', sweepAt: moment(0) }),
          create(`${collection}-2/c`, { id: 'c', sweepAt: moment(0) }),
        ]);
        expect(await due()).to.deep.equal(['a']);
        expect(await due({ collection: 'nothing' })).to.deep.equal([]);
      });

      it('returns at most as many as it was asked for, the earliest ones', async () => {
        await keep(...[-3, -1, -2].map((ms) => ({ id: `${ms}`, sweepAt: moment(ms) })));
        expect(await due({ limit: 2 })).to.deep.equal(['-3', '-2']);
        expect(await due({ limit: 1000 })).to.deep.equal(['-3', '-2', '-1']);
      });

      it('sees every commit that has returned, also that nothing is due any more', async () => {
        for (let n = 1; n <= 5; n++) {
          await keep({ id: 'a', sweepAt: moment(0) });
          expect(await due()).to.deep.equal(['a']);
          await store.commit([update(at('a'), await versionOf(store, at('a')), { sweepAt: null })]);
          expect(await due()).to.deep.equal([]);
          await store.commit([remove(at('a'))]);
        }
      });
    });

    describe('watch', () => {
      it('tells a document as it is, each newer state, and that it is gone', async () => {
        const told = heard<object | undefined>();
        const watching = store.watch(at('a'), told.hear, told.fail);
        expect(await told.next()).to.equal(undefined);
        const moment = new Date(1_767_322_800_000);
        await given('a', { n: 1, moment });
        expect(await told.next()).to.deep.equal({ n: 1, moment });
        await store.commit([
          update(at('a'), await versionOf(store, at('a')), { n: 2 }),
          create(at('b'), { n: 3 }),
        ]);
        expect(await told.next()).to.deep.equal({ n: 2, moment });
        await store.commit([remove(at('a'))]);
        expect(await told.next()).to.equal(undefined);
        watching.close();
      });

      it('comes to the newest state, however fast they follow one another', async () => {
        const told = heard<object | undefined>();
        await given('a', { n: 0 });
        const watching = store.watch(at('a'), told.hear, told.fail);
        for (let n = 1; n <= 20; n++) {
          await store.commit([update(at('a'), await versionOf(store, at('a')), { n })]);
        }
        let last = -1;
        while (last < 20) {
          const { n } = (await told.next()) as { n: number };
          expect(n).to.be.at.least(last);
          last = n;
        }
        watching.close();
      });

      it('tells nothing more once it is closed', async () => {
        const [closed, open] = [heard<object | undefined>(), heard<object | undefined>()];
        const watching = store.watch(at('a'), closed.hear, closed.fail);
        const other = store.watch(at('a'), open.hear, open.fail);
        await Promise.all([closed.next(), open.next()]);
        watching.close();
        watching.close();
        await given('a', { n: 1 });
        expect(await open.next()).to.deep.equal({ n: 1 });
        expect(closed.untold()).to.equal(0);
        other.close();
      });

      it('[anomaly 42] of what is no path is rejected', () => {
        const watchUsers = () =>
          store.watch(
            'users',
            () => {},
            () => {},
          );
        expect(watchUsers).to.throw(StoreError).with.property('kind', 'rejected');
      });
    });

    describe('watchChanges', () => {
      const moment = (ms: number) => new Date(1_767_322_800_000 + ms);
      const moved = (id: string, ms: number, shard = 1) =>
        create(at(id), { id, shard, movedAt: moment(ms), n: 1 });
      const watchChanges = (told: ReturnType<typeof heard<readonly StoredDocument[]>>, since = moment(0)) =>
        store.watchChanges(
          { collection, where: { shard: 1 }, field: 'movedAt', since },
          told.hear,
          told.fail,
        );
      const idsOf = (documents: readonly StoredDocument[]) => documents.map(({ path }) => path).toSorted();

      it('tells first, all at once, what has moved since, and leaves out what has not', async () => {
        await store.commit([
          ...[moved('a', 1), moved('b', 0), moved('c', 2), moved('d', 1, 2)],
          create(at('e'), { shard: 1 }),
          create(at('f'), { shard: 1, movedAt: null }),
          create(`${at('a')}/${collection}/g`, { shard: 1, movedAt: moment(1) }),
        ]);
        const told = heard<readonly StoredDocument[]>();
        const watching = watchChanges(told);
        const first = await told.next();
        expect(idsOf(first)).to.deep.equal([at('a'), at('c')]);
        expect(first.find(({ path }) => path === at('a'))?.fields).to.deep.equal({
          id: 'a',
          shard: 1,
          movedAt: moment(1),
          n: 1,
        });
        watching.close();
      });

      it('tells first that there is nothing, and then each document that comes or moves on', async () => {
        await store.commit([moved('a', 0)]);
        const told = heard<readonly StoredDocument[]>();
        const watching = watchChanges(told);
        expect(await told.next()).to.deep.equal([]);
        await store.commit([moved('b', 1), moved('c', 1, 2)]);
        expect(idsOf(await told.next())).to.deep.equal([at('b')]);
        await store.commit([
          update(at('a'), await versionOf(store, at('a')), { movedAt: moment(3), n: 2 }),
          update(at('c'), await versionOf(store, at('c')), { movedAt: moment(3) }),
        ]);
        const [a, ...others] = await told.next();
        expect([a?.fields, others]).to.deep.equal([{ id: 'a', shard: 1, movedAt: moment(3), n: 2 }, []]);
        watching.close();
      });

      it('misses no document among hundreds, and goes on to tell what moves on', async () => {
        const told = heard<readonly StoredDocument[]>();
        const watching = watchChanges(told);
        const missing = new Set<Path>();
        for (let round = 0; round < 8; round++) {
          const ids = Array.from({ length: 100 }, (_, n) => `${round}-${n}`);
          for (const id of ids) missing.add(at(id));
          await store.commit(ids.map((id) => moved(id, 1 + round * 60_000)));
          while (missing.size > 0) for (const { path } of await told.next()) missing.delete(path);
        }
        await store.commit([
          update(at('0-0'), await versionOf(store, at('0-0')), { movedAt: moment(8 * 60_000) }),
        ]);
        for (let found: Path[] = []; !found.includes(at('0-0')); ) found = idsOf(await told.next());
        watching.close();
      });

      it('tells nothing more once it is closed', async () => {
        const [closed, open] = [heard<readonly StoredDocument[]>(), heard<readonly StoredDocument[]>()];
        const watching = watchChanges(closed);
        const other = watchChanges(open);
        await Promise.all([closed.next(), open.next()]);
        watching.close();
        watching.close();
        await store.commit([moved('a', 1)]);
        await open.next();
        expect(closed.untold()).to.equal(0);
        other.close();
      });
    });

    describe('snapshot', () => {
      /** All documents of a kind, piece by piece, until a piece is not full. */
      async function allOf(snapshot: Snapshot, kind: string, limit: number): Promise<StoredDocument[]> {
        const found: StoredDocument[] = [];
        for (;;) {
          const after = found.at(-1)?.path;
          const piece = await snapshot.scan({ collection: kind, limit, ...(after && { after }) });
          expect(piece.length).to.be.at.most(limit);
          found.push(...piece);
          if (piece.length < limit) return found;
        }
      }

      it('reads documents as they were written, and leaves out those that there are not', async () => {
        const fields = { n: 1, at: new Date(0), items: [{ quantity: 2 }] };
        await given('a', fields);
        const snapshot = await store.snapshot();
        expect([...(await snapshot.read([at('a'), at('nothing')]))]).to.deep.equal([[at('a'), fields]]);
        expect([...(await snapshot.read([]))]).to.deep.equal([]);
        expect(await outcomeOf(snapshot.read([at('a'), 'users']))).to.equal('rejected');
      });

      it('scans all documents of a kind with their paths, wherever they stand', async () => {
        const paths = [
          `inventory/widget/${collection}/1`,
          `users/jack/${collection}/1`,
          `users/jack/${collection}/2`,
          `users/joe/${collection}/1`,
        ];
        await store.commit([
          ...paths.toReversed().map((path) => create(path, { path, at: new Date(1) })),
          create(`users/jack/${collection}/1/lines/1`, {}),
          create(`${collection}-2/1`, {}),
        ]);
        const snapshot = await store.snapshot();
        expect(await snapshot.scan({ collection, limit: 1000 })).to.deep.equal(
          paths.map((path) => ({ path, fields: { path, at: new Date(1) } })),
        );
        expect(await snapshot.scan({ collection: `no-${collection}`, limit: 1000 })).to.deep.equal([]);
      });

      it('scans in the order of the parts of the paths, by code point', async () => {
        // Controls, the space, the exclamation mark and the full stop are smaller than the slash between the names.
        const users = [
          'a',
          'a\u0000',
          'a\u0000\u0000',
          'a\u0001',
          'a ',
          'a!',
          'a.',
          'a0',
          'aé',
          'a\uff5e',
          'a😀',
        ];
        const paths = [
          ...users.map((user) => `users/${user}/${collection}/1`),
          `users/b/${collection}/1`,
          `users/b/${collection}/1/parts/1/${collection}/2`,
          `users/b/${collection}/1!`,
          `users/b/${collection}/10`,
          `users/b/${collection}/2`,
        ];
        await store.commit(paths.toReversed().map((path) => create(path, {})));
        const snapshot = await store.snapshot();
        for (const limit of [3, 1000]) {
          const found = await allOf(snapshot, collection, limit);
          expect(found.map(({ path }) => path)).to.deep.equal(paths);
        }
      });

      it('scans in pieces of any size without a gap or a repeat, also behind what is not there', async () => {
        const paths = ['users/jack', 'users/joe', 'inventory/widget'].flatMap((parent) =>
          Array.from({ length: 7 }, (_, n) => `${parent}/${collection}/${n}`),
        );
        await store.commit(paths.map((path) => create(path, { path })));
        const snapshot = await store.snapshot();
        const expected = paths.toSorted();
        for (const limit of [1, 2, 7, 20, 21, 1000]) {
          const found = await allOf(snapshot, collection, limit);
          expect(found.map(({ path }) => path)).to.deep.equal(expected);
        }
        const behind = await snapshot.scan({ collection, after: `users/jack/${collection}/5a`, limit: 2 });
        expect(behind.map(({ path }) => path)).to.deep.equal([
          `users/jack/${collection}/6`,
          `users/joe/${collection}/0`,
        ]);
      });

      it('counts the documents whose fields equal all that is asked for', async () => {
        const documents = [
          { id: 'a', status: 'PAID', user: 'jack' },
          { id: 'b', status: 'PAID', user: 'joe' },
          { id: 'c', status: 'CANCELED', user: 'jack' },
        ];
        await store.commit([
          ...documents.map((fields) => create(at(fields.id), fields)),
          create(`${at('a')}/${collection}/d`, { status: 'PAID' }),
        ]);
        const snapshot = await store.snapshot();
        const count = (where: Readonly<Record<string, string>>) => snapshot.count({ collection, where });
        expect(await count({})).to.equal(3);
        expect(await count({ status: 'PAID' })).to.equal(2);
        expect(await count({ status: 'PAID', user: 'jack' })).to.equal(1);
        expect(await count({ status: 'LOST' })).to.equal(0);
      });

      it('sees every commit that had returned before, and nothing that is written after', async () => {
        const [toUpdate, toRemove] = [await given('updated'), await given('removed')];
        const snapshot = await store.snapshot();
        await store.commit([
          update(at('updated'), toUpdate, { n: 2 }),
          remove(at('removed'), toRemove),
          create(at('created'), { n: 2 }),
        ]);
        const before = [
          { path: at('removed'), fields: { n: 1 } },
          { path: at('updated'), fields: { n: 1 } },
        ];
        expect(await snapshot.scan({ collection, limit: 10 })).to.deep.equal(before);
        expect(await snapshot.count({ collection, where: { n: 1 } })).to.equal(before.length);
        const read = await snapshot.read([at('created'), at('removed'), at('updated')]);
        expect([...read]).to.deep.equal(before.map(({ path, fields }) => [path, fields]));
        const now = await (await store.snapshot()).scan({ collection, limit: 10 });
        expect(now).to.deep.equal([
          { path: at('created'), fields: { n: 2 } },
          { path: at('updated'), fields: { n: 2 } },
        ]);
      });

      it('holds each commit of a constant writer as a whole or not at all, however it is read', async () => {
        const ids = Array.from({ length: 6 }, (_, n) => `${n}`);
        await store.commit(ids.map((id) => create(at(id), { n: 0 })));
        let stopped = false;
        let committed = 0;
        const turn = () => new Promise((resolve) => setImmediate(resolve));
        async function writeOn(): Promise<void> {
          while (!stopped) {
            await turn();
            const n = committed + 1;
            const found = await store.read(ids.map(at));
            const writes = [...found].map(([path, { version }]) => update(path, version, { n }));
            // Below one of them, a record of each commit.
            await store.commit([...writes, create(`${at('0')}/${collection}-log/${n}`, { n })]);
            committed = n;
          }
        }
        const writing = writeOn();
        try {
          const seen: number[] = [];
          while (seen.length < 8) {
            const atLeast = committed;
            const snapshot = await store.snapshot();
            // The writer leaves the snapshot behind, even where memory answers both and neither would otherwise let go of the thread.
            while (committed < atLeast + 2) await turn();
            const read = [...(await snapshot.read(ids.map(at))).values()];
            const states = [...read, ...(await allOf(snapshot, collection, 2)).map(({ fields }) => fields)];
            const { n } = states[0] as { n: number };
            expect(states).to.deep.equal([...ids, ...ids].map(() => ({ n })));
            expect(await allOf(snapshot, `${collection}-log`, 5)).to.have.length(n);
            expect(await snapshot.count({ collection, where: { n } })).to.equal(ids.length);
            expect(n).to.be.at.least(atLeast);
            expect(n).to.be.below(committed);
            seen.push(n);
          }
        } finally {
          stopped = true;
          await writing;
        }
      });
    });

    describe('list', () => {
      it('returns every document with its id, in the order of the ids by code point', async () => {
        const ids = ['10', '9', 'Z', 'a', 'é', '\uff5e', '😀'];
        await store.commit(ids.toReversed().map((id) => create(at(id), { id, at: new Date(0) })));
        expect(await store.list(collection, 100)).to.deep.equal(
          ids.map((id) => ({ id, fields: { id, at: new Date(0) } })),
        );
      });

      it('returns the first ones up to the limit', async () => {
        await store.commit(['c', 'a', 'b'].map((id) => create(at(id), {})));
        expect((await store.list(collection, 2)).map(({ id }) => id)).to.deep.equal(['a', 'b']);
        expect(await store.list('nothing', 2)).to.deep.equal([]);
      });

      it('leaves out what lies below the documents', async () => {
        await store.commit([create(at('a'), {}), create(`${at('b')}/orders/1`, {})]);
        expect(await store.list(collection, 10)).to.deep.equal([{ id: 'a', fields: {} }]);
      });
    });

    describe('erase', () => {
      it('deletes a collection and all that lies below it, tells how far it is, and leaves the rest', async () => {
        const [neighbour, namesake] = [`${collection}-2/a`, `other/a/${collection}/a`];
        const writes = [
          ...Array.from({ length: 200 }, (_, n) => create(at(n), {})),
          ...Array.from({ length: 100 }, (_, n) => create(`${at(n)}/orders/1`, {})),
          // Below documents that do not exist themselves.
          ...Array.from({ length: 99 }, (_, n) => create(`${at(`none-${n}`)}/orders/1`, {})),
          create(`${at(1)}/orders/1/lines/1`, {}),
        ];
        await store.commit(writes);
        await store.commit([create(neighbour, {}), create(namesake, {})]);
        const progress: number[] = [];
        expect(await store.erase(collection, (deletedCount) => progress.push(deletedCount))).to.equal(400);
        expect(progress.at(-1)).to.equal(400);
        expect(progress).to.deep.equal(progress.toSorted((one, other) => one - other));
        expect((await store.read(writes.map(({ path }) => path))).size).to.equal(0);
        expect((await store.read([neighbour, namesake])).size).to.equal(2);
      });

      it('may be called again, and then deletes nothing', async () => {
        await given('a');
        expect(await store.erase(collection)).to.equal(1);
        expect(await store.erase(collection)).to.equal(0);
        expect(await store.list(collection, 1)).to.deep.equal([]);
      });
    });
  });
}
