import {
  type DocumentReference,
  type DocumentSnapshot,
  FieldPath,
  Firestore,
  type Query as FirestoreQuery,
  Timestamp,
  type Transaction,
  type WriteBatch,
} from '@google-cloud/firestore';
import { LEDGERS } from '../../saga/ledger/ledger.ts';
import { endsWithin } from '../../saga/ports/clock.ts';
import {
  assertDocumentPath,
  assertWritable,
  type Changes,
  type DueQuery,
  type GuardedWrite,
  LATE_MS,
  type Path,
  type Query,
  type Scan,
  type Store,
  StoreError,
  type StoreErrorKind,
  type Version,
  type Versioned,
  type Watching,
} from '../../saga/ports/store.ts';
import { systemClock } from '../system-clock.ts';
import { emulatorOptions } from './emulator-options.ts';

export interface FirestoreOptions {
  readonly projectId: string;
  /** The database of the project. Firestore calls the first one `(default)`. */
  readonly databaseId: string;
  /** How long a read or a commit may take before it counts as unanswered, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * The store on Firestore. It uses guarded batch writes instead of transactions: no locks, one round trip to read, one to
 * commit, and each write has what was read as its precondition (docs/decisions/0002-guarded-batches-instead-of-transactions.md).
 *
 * The client finds the emulator by FIRESTORE_EMULATOR_HOST. It must talk gRPC, never `preferRest`: over REST both
 * "exists already" and "aborted" are a 409.
 */
export function createFirestoreStore({ projectId, databaseId, timeoutMs }: FirestoreOptions): Store {
  const firestore = new Firestore({
    projectId,
    databaseId,
    preferRest: false,
    ignoreUndefinedProperties: true,
    ...emulatorOptions(process.env.FIRESTORE_EMULATOR_HOST),
  });
  /** Ends each listener that is open: the client can't be closed before. */
  const listeners = new Set<() => void>();

  /** @param open opens a listener, and returns what ends it. */
  function listen(open: () => () => void): Watching {
    const stop = open();
    listeners.add(stop);
    return {
      close() {
        listeners.delete(stop);
        stop();
      },
    };
  }

  /** The client continues a call for minutes after our callers have stopped waiting. */
  const underWay = new Set<Promise<unknown>>();

  async function answer<T>(work: Promise<T>): Promise<T> {
    const forget = () => underWay.delete(work);
    underWay.add(work);
    work.then(forget, forget);
    if (await endsWithin(systemClock, timeoutMs, work).catch(throwStoreError)) return work;
    throw new StoreError('unavailable', `Firestore did not answer within ${timeoutMs} ms`);
  }

  /** Those of the documents that there are. */
  async function found(
    paths: readonly Path[],
    get: (...references: DocumentReference[]) => Promise<DocumentSnapshot[]>,
  ): Promise<(Versioned & { readonly path: Path })[]> {
    if (paths.length === 0) return [];
    // Firestore refuses a wrong path, too, but its client retries for seven seconds.
    paths.forEach(assertDocumentPath);
    const snapshots = await answer(get(...paths.map((path) => firestore.doc(path))));
    return snapshots.flatMap((snapshot) => {
      const data = snapshot.data();
      if (data === undefined) return [];
      const version = snapshot.updateTime as unknown as Version;
      return [{ path: snapshot.ref.path, fields: fromFirestore(data), version }];
    });
  }

  return {
    async read(paths) {
      const documents = await found(paths, (...references) => firestore.getAll(...references));
      return new Map(documents.map(({ path, ...versioned }) => [path, versioned]));
    },

    async commit(writes) {
      writes.forEach(assertWritable);
      const batch = firestore.batch();
      try {
        for (const write of writes.toSorted(byPath)) addWrite(batch, firestore.doc(write.path), write);
      } catch (error) {
        throw new StoreError('rejected', `A document can't be written: ${(error as Error).message}`, {
          cause: error,
        });
      }
      await answer(batch.commit());
    },

    async query({ collection, where, contains, fields, after, limit }: Query) {
      let query = firestore.collection(collection).limit(limit);
      for (const [field, value] of Object.entries(where)) query = query.where(field, '==', value);
      if (contains) query = query.where(contains.field, 'array-contains', contains.value);
      query = query.orderBy('createdAt', 'desc').orderBy(FieldPath.documentId(), 'desc');
      if (after) query = query.startAfter(Timestamp.fromDate(after.createdAt), after.id);
      if (fields) query = query.select(...fields);
      const { docs } = await answer(query.get());
      return docs.map((document) => fromFirestore(document.data()));
    },

    async due({ collection, where, field, until, after, limit }: DueQuery) {
      let query = firestore.collection(collection).limit(limit);
      for (const [name, value] of Object.entries(where)) query = query.where(name, '==', value);
      query = query.where(field, '<=', Timestamp.fromDate(until));
      query = query.orderBy(field, 'asc').orderBy(FieldPath.documentId(), 'asc');
      if (after) query = query.startAfter(Timestamp.fromDate(after.moment), after.id);
      const { docs } = await answer(query.get());
      return docs.map((document) => {
        const fields = fromFirestore(document.data());
        return { id: document.id, moment: fields[field] as Date, fields };
      });
    },

    watch(path, tell, fail) {
      assertDocumentPath(path);
      return listen(() =>
        firestore.doc(path).onSnapshot(
          (snapshot) => tell(fromFirestore(snapshot.data())),
          (error) => fail(asStoreError(error)),
        ),
      );
    },

    watchChanges({ collection, where, field, since }: Changes, tell, fail) {
      let query: FirestoreQuery = firestore.collection(collection);
      for (const [name, value] of Object.entries(where)) query = query.where(name, '==', value);
      let current: Watching | undefined;
      let isClosed = false;
      const open = (from: Date): Watching =>
        listen(() =>
          query
            .where(field, '>', Timestamp.fromDate(from))
            .orderBy(field, 'asc')
            .orderBy(FieldPath.documentId(), 'asc')
            .onSnapshot(
              (snapshot) => {
                const changes = snapshot.docChanges().filter(({ type }) => type !== 'removed');
                tell(changes.map(({ doc }) => ({ path: doc.ref.path, fields: fromFirestore(doc.data()) })));
                // The client keeps all documents of the answer, so that it would grow for ever.
                const next = nextSince(snapshot.docs.at(-1)?.get(field), systemClock.now());
                const hasMovedOn = next.getTime() - from.getTime() >= LATE_MS;
                if (snapshot.size < WATCHED_MAX || !hasMovedOn || isClosed) return;
                current?.close();
                current = open(next);
              },
              (error) => fail(asStoreError(error)),
            ),
        );
      current = open(since);
      return {
        close() {
          isClosed = true;
          current?.close();
        },
      };
    },

    async snapshot() {
      // Firestore says what time it is, because its clock and ours differ. Don't use a transaction that begins with its
      // first read: if that fails, the client leaves a promise whose rejection can't be handled.
      const { readTime } = await answer(firestore.collection(LEDGERS).limit(1).get());
      const asOfThen = <T>(read: (transaction: Transaction) => Promise<T>): Promise<T> =>
        firestore.runTransaction(read, { readOnly: true, readTime });
      return {
        async read(paths) {
          const documents = await found(paths, (...references) =>
            asOfThen((transaction) => transaction.getAll(...references)),
          );
          return new Map(documents.map(({ path, fields }) => [path, fields]));
        },
        async scan({ collection, after, limit }: Scan) {
          const all = firestore.collectionGroup(collection).orderBy(FieldPath.documentId()).limit(limit);
          const query = after ? all.startAfter(firestore.doc(after)) : all;
          const { docs } = await answer(asOfThen((transaction) => transaction.get(query)));
          return docs.map((document) => ({
            path: document.ref.path,
            fields: fromFirestore(document.data()),
          }));
        },
        async count({ collection, where }) {
          let query: FirestoreQuery = firestore.collection(collection);
          for (const [field, value] of Object.entries(where)) query = query.where(field, '==', value);
          const found = await answer(asOfThen((transaction) => transaction.get(query.count())));
          return found.data().count;
        },
      };
    },

    async list(collection, limit) {
      const { docs } = await answer(
        firestore.collection(collection).orderBy(FieldPath.documentId()).limit(limit).get(),
      );
      return docs.map((document) => ({ id: document.id, fields: fromFirestore(document.data()) }));
    },

    async erase(collection, onProgress) {
      let deletedCount = 0;
      const writer = firestore.bulkWriter();
      writer.onWriteResult(() => {
        deletedCount++;
        if (deletedCount % PROGRESS_EVERY === 0) onProgress?.(deletedCount);
      });
      await firestore.recursiveDelete(firestore.collection(collection), writer).catch(throwStoreError);
      await writer.close();
      onProgress?.(deletedCount);
      return deletedCount;
    },

    async close() {
      for (const stop of listeners) stop();
      // Wait until all calls have ended: a retry after the client's termination fails where it can't be caught. That can
      // take minutes while Firestore is away, and then the process ends first.
      const terminated = Promise.allSettled(underWay).then(() => firestore.terminate());
      await endsWithin(systemClock, CLOSE_TIMEOUT_MS, terminated);
    },
  };
}

/**
 * All commits take their locks in the same order, so that no two of them wait for each other. The emulator sorts the locks
 * itself, which is a quarter of its work unless they arrive sorted.
 */
const byPath = (one: GuardedWrite, other: GuardedWrite): number => (one.path < other.path ? -1 : 1);

const PROGRESS_EVERY = 1000;
/** How long `close` waits for calls that are under way, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A listener that has seen so many documents begins anew, with those that moved last. */
const WATCHED_MAX = 1000;

/** From which moment on to listen anew. A writer whose clock is far ahead must not hide what others write. */
const nextSince = (newest: Timestamp | undefined, now: Date): Date =>
  new Date(Math.min(newest?.toMillis() ?? 0, now.getTime()) - LATE_MS);

function addWrite(batch: WriteBatch, reference: DocumentReference, write: GuardedWrite): void {
  switch (write.kind) {
    case 'create':
      batch.create(reference, write.fields);
      return;
    case 'update':
      // The client reads a plain key as a path with dots. A FieldPath is taken literally.
      batch.update(reference, ...fieldsAsPaths(write.fields), { lastUpdateTime: timestampOf(write.version) });
      return;
    case 'remove':
      batch.delete(reference, write.version && { lastUpdateTime: timestampOf(write.version) });
  }
}

/** The arguments of `update` in its long form: field, value, field, value. */
function fieldsAsPaths(fields: object): [FieldPath, unknown, ...unknown[]] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .flatMap(([field, value]) => [fieldPath(field), value]) as [FieldPath, unknown, ...unknown[]];
}

/** Field paths, made once for each of the few names: checking a name costs a third of an update. */
const fieldPaths = new Map<string, FieldPath>();
function fieldPath(field: string): FieldPath {
  let path = fieldPaths.get(field);
  if (path === undefined) {
    path = new FieldPath(field);
    fieldPaths.set(field, path);
  }
  return path;
}

const timestampOf = (version: Version): Timestamp => version as unknown as Timestamp;

/** Firestore returns moments as Timestamps; the project uses only Date. */
function fromFirestore<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Timestamp) return value.toDate() as T;
  if (Array.isArray(value)) return value.map(fromFirestore) as T;
  // Other values that people put into documents, such as references and places, stay as they are.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromFirestore(member)])) as T;
}

/**
 * What the codes of gRPC mean for the caller. Any other code counts as unanswered, which is always safe: the kernel reads
 * again, and later once more. That also covers missing rights, which may still be granted.
 * https://cloud.google.com/firestore/docs/understand-error-codes
 */
const kindOfCode: Readonly<Record<number, StoreErrorKind>> = {
  3: 'rejected', // INVALID_ARGUMENT
  5: 'conflict', // NOT_FOUND: a guarded document is gone
  6: 'conflict', // ALREADY_EXISTS: perhaps by our own repeated commit
  9: 'conflict', // FAILED_PRECONDITION: another version than was read
  10: 'conflict', // ABORTED: contention
  11: 'rejected', // OUT_OF_RANGE
};

function throwStoreError(error: unknown): never {
  throw asStoreError(error);
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code, message } = error as { code?: number; message?: string };
  return new StoreError(kindOfCode[code ?? -1] ?? 'unavailable', `Firestore: ${message ?? error}`, {
    cause: error,
  });
}
