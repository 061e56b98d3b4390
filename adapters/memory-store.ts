import {
  type GuardedWrite,
  type Path,
  type Query,
  type Store,
  StoreError,
  type Version,
  type Versioned,
} from '../saga/store.ts';

/**
 * The embedded store: documents in a map. It keeps nothing beyond the process, and promises what Firestore
 * promises: atomic guarded commits, and reads that see every commit that has returned.
 */
export function createMemoryStore(): Store {
  const documents = new Map<Path, Versioned>();
  let commits = 0;

  function assertGuard(write: GuardedWrite): void {
    const present = documents.get(write.path);
    const held =
      write.kind === 'create'
        ? present === undefined
        : write.kind === 'remove' && write.version === undefined
          ? true
          : present?.version === write.version;
    if (!held) throw new StoreError('conflict', `${write.path} is not what was read`);
  }

  function apply(write: GuardedWrite, version: Version): void {
    if (write.kind === 'remove') {
      documents.delete(write.path);
      return;
    }
    const base = write.kind === 'update' ? documents.get(write.path)?.fields : {};
    documents.set(write.path, { fields: frozenCopy({ ...base, ...write.fields }), version });
  }

  function inCollection(collection: string): { id: string; fields: object }[] {
    const prefix = `${collection}/`;
    return [...documents]
      .filter(([path]) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map(([path, { fields }]) => ({ id: path.slice(prefix.length), fields }));
  }

  return {
    async read(paths) {
      paths.forEach(assertDocumentPath);
      const found = new Map<Path, Versioned>();
      for (const path of paths) {
        const document = documents.get(path);
        if (document) found.set(path, document);
      }
      return found;
    },
    async commit(writes) {
      writes.map(({ path }) => path).forEach(assertDocumentPath);
      writes.forEach(assertGuard);
      // Like Firestore's update time, a version never comes back, not even to a document that was made anew.
      const version = ++commits as unknown as Version;
      for (const write of writes) apply(write, version);
    },
    async query({ collection, where, after, limit }: Query) {
      return inCollection(collection)
        .filter(({ fields }) =>
          Object.entries(where).every(([field, value]) => fieldOf(fields, field) === value),
        )
        .map(({ id, fields }) => ({ id, fields, ms: (fieldOf(fields, 'createdAt') as Date).getTime() }))
        .sort((one, other) => other.ms - one.ms || compare(other.id, one.id))
        .filter(({ id, ms }) => {
          if (after === undefined) return true;
          return (
            ms - after.createdAt.getTime() < 0 ||
            (ms === after.createdAt.getTime() && compare(id, after.id) < 0)
          );
        })
        .slice(0, limit)
        .map(({ fields }) => fields);
    },
    async list(collection, limit) {
      return inCollection(collection)
        .sort((one, other) => compare(one.id, other.id))
        .slice(0, limit);
    },
    async erase(collection, onProgress) {
      const paths = [...documents.keys()].filter((path) => path.startsWith(`${collection}/`));
      for (const path of paths) documents.delete(path);
      onProgress?.(paths.length);
      return paths.length;
    },
    async close() {},
  };
}

function assertDocumentPath(path: Path): void {
  const segments = path.split('/');
  if (segments.length % 2 === 1 || segments.includes('')) {
    throw new StoreError('rejected', `"${path}" is not the path of a document`);
  }
}

const fieldOf = (fields: object, field: string): unknown => (fields as Record<string, unknown>)[field];

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/**
 * Nobody can change a document behind the store's back: neither who wrote it nor who reads it. What a database
 * does to values happens here, too: a field that is undefined is no field.
 */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return new Date(value) as T;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.freeze(Object.fromEntries(entries.map(([key, member]) => [key, frozenCopy(member)]))) as T;
}
