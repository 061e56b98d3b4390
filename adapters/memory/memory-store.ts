import {
  assertDocumentPath,
  assertWritable,
  type Changes,
  type DueDocument,
  type DueQuery,
  type GuardedWrite,
  type Path,
  type Query,
  type Scan,
  type Store,
  type StoredDocument,
  StoreError,
  type Version,
  type Versioned,
} from '../../saga/ports/store.ts';
import { createWatchers } from './watchers.ts';

/**
 * The embedded store: documents in a map. It keeps nothing beyond the process, and promises what Firestore
 * promises: atomic guarded commits, and reads that see every commit that has returned.
 */
export function createMemoryStore(): Store {
  const { reading, at, below, apply } = createDocuments();
  return {
    ...reading,
    async commit(writes) {
      apply(changesOf(writes, at));
    },
    async erase(collection, onProgress) {
      const paths = below(collection);
      apply(new Map(paths.map((path) => [path, undefined])));
      onProgress?.(paths.length);
      return paths.length;
    },
    async close() {},
  };
}

/** The fields of documents from now on; undefined: the document is gone. */
export type DocumentChanges = ReadonlyMap<Path, object | undefined>;

/** Documents in memory. */
export interface Documents {
  /** All that a store answers. */
  readonly reading: Omit<Store, 'commit' | 'erase' | 'close'>;
  at(path: Path): Versioned | undefined;
  /** Every document of a top-level collection and of all collections below its documents. */
  below(collection: string): Path[];
  all(): IterableIterator<readonly [Path, Versioned]>;
  /** From now on readers see all of it. The fields must be frozen. Like Firestore's update time, a version never comes back. */
  apply(changes: DocumentChanges): void;
}

type Collections = ReadonlyMap<string, ReadonlyMap<Path, Versioned>>;

/** What the stores of the embedded engine have in common: documents in maps, which answer everything that is read. */
export function createDocuments(): Documents {
  /** By the name of their collection: a listing looks at no others. */
  const collections = new Map<string, Map<Path, Versioned>>();
  const watchers = createWatchers();
  let versionCount = 0;

  function collectionOf(path: Path): Map<Path, Versioned> {
    const name = collectionIn(path);
    let collection = collections.get(name);
    if (collection === undefined) {
      collection = new Map();
      collections.set(name, collection);
    }
    return collection;
  }

  function inCollection(collection: string, of: Collections = collections): { id: string; fields: object }[] {
    const prefix = `${collection}/`;
    return [...(of.get(collection.split('/').at(-1) ?? '') ?? [])]
      .filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map(([path, { fields }]) => ({ id: path.slice(prefix.length), fields }));
  }

  /** The documents of a collection that match, and have a moment in this field, the earliest first. */
  const byMoment = (
    { collection, where, contains }: Pick<Query, 'collection' | 'where' | 'contains'>,
    field: string,
  ): DueDocument[] =>
    inCollection(collection)
      .flatMap(({ id, fields }) => {
        const moment = fieldOf(fields, field);
        return moment instanceof Date && matches(fields, where) && hasIn(fields, contains)
          ? [{ id, moment, fields }]
          : [];
      })
      .sort(earliestFirst);

  const at = (path: Path) => collectionOf(path).get(path);

  const reading: Documents['reading'] = {
    async read(paths) {
      return found(paths, at);
    },
    async query({ fields: wanted, after, limit, ...query }: Query) {
      const last = after && { moment: after.createdAt, id: after.id };
      return byMoment(query, 'createdAt')
        .reverse()
        .filter((document) => last === undefined || earliestFirst(document, last) < 0)
        .slice(0, limit)
        .map(({ fields }) => (wanted ? picked(fields, wanted) : fields));
    },
    async due({ field, until, after, limit, ...query }: DueQuery) {
      return byMoment(query, field)
        .filter(({ moment }) => moment <= until)
        .filter((document) => after === undefined || earliestFirst(document, after) > 0)
        .slice(0, limit);
    },
    watch(path, tell) {
      assertDocumentPath(path);
      return watchers.add(
        new Map([[path, collectionOf(path).get(path)?.fields]]),
        (changed) => changed === path,
        (states) => tell(states.get(path)),
      );
    },
    watchChanges({ collection, where, field, since }: Changes, tell) {
      const prefix = `${collection}/`;
      const concerns = (path: Path, fields: object | undefined): boolean => {
        if (fields === undefined) return false;
        const moment = fieldOf(fields, field);
        return (
          moment instanceof Date &&
          moment > since &&
          path.startsWith(prefix) &&
          !path.includes('/', prefix.length) &&
          matches(fields, where)
        );
      };
      const present = inCollection(collection)
        .map(({ id, fields }): [Path, object] => [prefix + id, fields])
        .filter(([path, fields]) => concerns(path, fields));
      return watchers.add(new Map(present), concerns, (states) =>
        tell([...states].map(([path, fields]) => ({ path, fields: fields as object }))),
      );
    },
    async snapshot() {
      // Documents are immutable values, so it is enough to remember which there are.
      const kept = new Map([...collections].map(([name, documents]) => [name, new Map(documents)]));
      /** Sorted once, when the first page is requested. */
      const sorted = new Map<string, readonly StoredDocument[]>();
      return {
        async read(paths) {
          return found(paths, (path) => kept.get(collectionIn(path))?.get(path)?.fields);
        },
        async scan({ collection, after, limit }: Scan) {
          const documents = sorted.get(collection) ?? sortedByPath(kept.get(collection) ?? new Map());
          sorted.set(collection, documents);
          const start =
            after === undefined
              ? 0
              : documents.findLastIndex(({ path }) => comparePaths(path, after) <= 0) + 1;
          return documents.slice(start, start + limit);
        },
        async count({ collection, where }) {
          return inCollection(collection, kept).filter(({ fields }) => matches(fields, where)).length;
        },
      };
    },
    async list(collection, limit) {
      return inCollection(collection)
        .sort((one, other) => compare(one.id, other.id))
        .slice(0, limit);
    },
  };

  return {
    reading,
    at,
    below: (collection) =>
      [...collections.values()]
        .flatMap((documents) => [...documents.keys()])
        .filter((path) => path.startsWith(`${collection}/`)),
    *all() {
      for (const documents of collections.values()) yield* documents;
    },
    apply(changes) {
      const version = ++versionCount as unknown as Version;
      for (const [path, fields] of changes) {
        if (fields === undefined) collectionOf(path).delete(path);
        else collectionOf(path).set(path, { fields, version });
        watchers.changed(path, fields);
      }
    },
  };
}

/**
 * What a commit makes of the documents that there are.
 * @throws StoreError if a guard does not hold, or if it asks for what can't be stored.
 */
export function changesOf(
  writes: readonly GuardedWrite[],
  at: (path: Path) => Versioned | undefined,
): DocumentChanges {
  writes.forEach(assertWritable);
  for (const write of writes) assertGuard(write, at(write.path));
  return new Map(writes.map((write) => [write.path, fieldsAfter(write, at(write.path))]));
}

function assertGuard(write: GuardedWrite, present: Versioned | undefined): void {
  const held =
    write.kind === 'create'
      ? present === undefined
      : write.version === undefined || present?.version === write.version;
  if (!held) throw new StoreError('conflict', `${write.path} is not what was read`);
}

/** The fields of a document after a write; undefined if it is removed. */
function fieldsAfter(write: GuardedWrite, present: Versioned | undefined): object | undefined {
  if (write.kind === 'remove') return undefined;
  const base = write.kind === 'update' ? present?.fields : {};
  const fields = { ...base, ...frozenCopy(write.fields) };
  if (bytesOf(fields) > DOCUMENT_BYTES_MAX) {
    throw new StoreError('rejected', `${write.path} would take up more than ${DOCUMENT_BYTES_MAX} bytes`);
  }
  return Object.freeze(fields);
}

/** The name of the collection that a document is in. */
const collectionIn = (path: Path): string => path.split('/').at(-2) ?? '';

/** What there is at these paths. */
function found<T>(paths: readonly Path[], at: (path: Path) => T | undefined): Map<Path, T> {
  paths.forEach(assertDocumentPath);
  return new Map(
    paths.flatMap((path) => {
      const document = at(path);
      return document === undefined ? [] : [[path, document]];
    }),
  );
}

const matches = (fields: object, where: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(where).every(([field, value]) => fieldOf(fields, field) === value);

/** Whether the list in a field has a value in it. */
function hasIn(fields: object, contains: Query['contains']): boolean {
  if (contains === undefined) return true;
  const list = fieldOf(fields, contains.field);
  return Array.isArray(list) && list.includes(contains.value);
}

const picked = (fields: object, wanted: readonly string[]): object =>
  Object.fromEntries(Object.entries(fields).filter(([field]) => wanted.includes(field)));

const fieldOf = (fields: object, field: string): unknown => (fields as Record<string, unknown>)[field];

const earliestFirst = (one: Omit<DueDocument, 'fields'>, other: Omit<DueDocument, 'fields'>): number =>
  one.moment.getTime() - other.moment.getTime() || compare(one.id, other.id);

/** Firestore orders ids by code points; JavaScript alone would compare halves of surrogate pairs. */
const compare = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

/**
 * Compares paths name by name, as Firestore does, so that what is below a document comes right behind it. Whole paths would not
 * do: a name may contain bytes that are smaller than the slash between names.
 */
function comparePaths(one: Path, other: Path): number {
  const [names, others] = [one.split('/'), other.split('/')];
  const place = names.findIndex((name, index) => name !== others[index]);
  return place < 0 ? names.length - others.length : compare(names[place] ?? '', others[place] ?? '');
}

const sortedByPath = (documents: ReadonlyMap<Path, Versioned>): StoredDocument[] =>
  [...documents]
    .map(([path, { fields }]) => ({ path, fields }))
    .sort((one, other) => comparePaths(one.path, other.path));

/**
 * A copy, so that neither the writer nor a reader can change a document behind the store's back. As in a database, a field
 * that is undefined is no field.
 */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return new Date(value) as T;
  if (Array.isArray(value)) {
    if (value.some(Array.isArray)) throw new StoreError('rejected', 'A list stands directly in a list');
    return Object.freeze(value.map(frozenCopy)) as T;
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.freeze(Object.fromEntries(entries.map(([key, member]) => [key, frozenCopy(member)]))) as T;
}

const DOCUMENT_BYTES_MAX = 1024 * 1024;

/** The size of a value, as Firestore counts: https://firebase.google.com/docs/firestore/storage-size */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 1;
  if (typeof value === 'number' || value instanceof Date) return 8;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 0;
  for (const member of Object.values(value)) bytes += bytesOf(member);
  if (!Array.isArray(value)) for (const field of Object.keys(value)) bytes += Buffer.byteLength(field) + 1;
  return bytes;
}
