/**
 * The store port: what the kernel asks of a document database. Two implementations stand behind it, Firestore
 * and the embedded one, and one contract suite holds both to what is written here.
 */

/**
 * The fields of a document: JSON values, and `Date` for a moment. A field that is undefined is no field. A list must not
 * contain a list directly, and a document has at most 1 MiB: Firestore can't store anything else.
 */
export type Fields = Readonly<Record<string, unknown>>;

/** Where a document lives, such as `inventory/widget`; the type says what it holds there. */
export type Path<T extends object = object> = string & { readonly holds?: T };

/**
 * Which state of a document was read. Opaque: only the store that handed it out can compare it. A write that changes
 * nothing may keep the version.
 */
export type Version = { readonly opaque: unique symbol };

/** A document as it was read. */
export interface Versioned<T extends object = object> {
  readonly fields: T;
  readonly version: Version;
}

/**
 * A change to one document, with the guard that makes the commit fail if the document is no longer what was read.
 * - `create` demands that there is no such document.
 * - `update` demands the version that was read, replaces the given top-level fields, at least one, and leaves the
 *   others. A field that is undefined is not given.
 * - `remove` demands the version that was read; without one it removes whatever is there, or nothing.
 */
export type GuardedWrite =
  | { readonly kind: 'create'; readonly path: Path; readonly fields: object }
  | { readonly kind: 'update'; readonly path: Path; readonly fields: object; readonly version: Version }
  | { readonly kind: 'remove'; readonly path: Path; readonly version?: Version };

/** A place in a listing that runs from the newest to the oldest. */
export interface Cursor {
  readonly createdAt: Date;
  readonly id: string;
}

/** The documents of one collection whose fields equal the given values, newest `createdAt` first. */
export interface Query {
  readonly collection: string;
  readonly where: Readonly<Record<string, string | number>>;
  /** A field that must be a list with this value in it. Firestore takes only one such condition. */
  readonly contains?: { readonly field: string; readonly value: string | number };
  /** Which top-level fields are wanted; without it, all. */
  readonly fields?: readonly string[];
  /** Continue behind this place; without it, start with the newest. */
  readonly after?: Cursor;
  /** The most documents to return, 1 to 1,000. */
  readonly limit: number;
}

/** Documents whose moment has come: their fields equal the given values, and the moment is not after `until`. */
export interface DueQuery {
  readonly collection: string;
  readonly where: Readonly<Record<string, string | number>>;
  /** The field with the moment. If it is not a moment, the document is not found. */
  readonly field: string;
  readonly until: Date;
  /** Continue behind this document; without it, start with the earliest. */
  readonly after?: { readonly moment: Date; readonly id: string };
  /** The most documents to return, 1 to 1,000. */
  readonly limit: number;
}

/** A document whose moment has come. */
export interface DueDocument {
  readonly id: string;
  readonly moment: Date;
  readonly fields: object;
}

/** Documents of a collection that move on: their fields equal the given values, and their moment is later than `since`. */
export interface Changes {
  readonly collection: string;
  readonly where: Readonly<Record<string, string | number>>;
  /** The field with the moment. If it is not a moment, the document is not seen. */
  readonly field: string;
  readonly since: Date;
}

/** How much later than its moment a document may be committed: a commit takes its time, and the clocks of its writers differ. */
export const LATE_MS = 10_000;

/** Something that is being watched. */
export interface Watching {
  /** Nothing is told after that. May be called again. */
  close(): void;
}

/** A page of all documents in collections of one name, in the order of their paths. */
export interface Scan {
  /** The name of the collection, wherever it is: `orders` is below every user and below every item. */
  readonly collection: string;
  /** Continue behind this document; without it, start with the first. */
  readonly after?: Path | undefined;
  /** The most documents to return, 1 to 1,000. */
  readonly limit: number;
}

/** A document with its place. */
export interface StoredDocument {
  readonly path: Path;
  readonly fields: object;
}

/**
 * All documents as they were at one moment, whatever is written meanwhile. It can be read for an hour.
 * All methods throw StoreError `unavailable` when no answer came, and may be called again.
 */
export interface Snapshot {
  /** What does not exist is absent from the answer. */
  read(paths: readonly Path[]): Promise<ReadonlyMap<Path, object>>;
  scan(scan: Scan): Promise<readonly StoredDocument[]>;
  /** How many documents of a collection had fields that equal the given values. */
  count(query: Pick<Query, 'collection' | 'where'>): Promise<number>;
}

export interface Store {
  /**
   * Reads documents in one round trip. What does not exist is absent from the answer. Each is as it was at some moment
   * since the call, but not all at the same one: Firestore's emulator now and then answers with one document from
   * before a commit and another from after it. A commit based on such a read fails its guards.
   * @throws StoreError `unavailable` when no answer came; may be called again. `rejected` for what is no path.
   */
  read(paths: readonly Path[]): Promise<ReadonlyMap<Path, Versioned>>;

  /**
   * Applies all writes atomically, or none. At most one write per path.
   * @throws StoreError. After `conflict` or `unavailable` the writes may have been applied all the same (a client that
   * repeats a commit can meet its own success): read again to find out.
   */
  commit(writes: readonly GuardedWrite[]): Promise<void>;

  /**
   * Lists documents. The answer is consistent with every commit that has returned.
   * @throws StoreError `unavailable` when no answer came; may be called again.
   */
  query(query: Query): Promise<readonly object[]>;

  /**
   * Lists documents whose moment has come, the earliest first, those with the same moment by id. As consistent as `query`.
   * @throws StoreError `unavailable` when no answer came; may be called again.
   */
  due(query: DueQuery): Promise<readonly DueDocument[]>;

  /**
   * Tells the fields of one document (undefined if there is none): as they are now, and then each newer state. States between two
   * that are told may be left out, and one may be told again.
   * @param tell is never called before `watch` has returned. Must not throw.
   * @param fail is called once if there is nothing more to be told, because the store has ended the watch.
   * @throws StoreError `rejected` for what is no path.
   */
  watch(path: Path, tell: (fields: object | undefined) => void, fail: (error: StoreError) => void): Watching;

  /**
   * Tells documents that move on. The first call has all that are there already, perhaps none; each later one has those that are
   * there since or have changed, in their newest state, some perhaps again. A document that no longer fits is not told.
   * One that is committed more than `LATE_MS` after its moment may be missed.
   * @param tell is never called before `watchChanges` has returned. Must not throw.
   * @param fail is called once if there is nothing more to be told, because the store has ended the watch.
   */
  watchChanges(
    changes: Changes,
    tell: (documents: readonly StoredDocument[]) => void,
    fail: (error: StoreError) => void,
  ): Watching;

  /**
   * All documents as they are now, to be read later: it has everything that one commit wrote, or nothing of it.
   * @throws StoreError `unavailable` when no answer came; may be called again.
   */
  snapshot(): Promise<Snapshot>;

  /**
   * Lists the fields of every document of a top-level collection, in the order of their ids.
   * Meant for small collections such as the stock; `limit` bounds it.
   */
  list(collection: string, limit: number): Promise<readonly { id: string; fields: object }[]>;

  /**
   * Deletes every document of a top-level collection and of all collections below its documents.
   * Not atomic; may be called again. Calls `onProgress` with the number deleted so far.
   * @returns how many documents were deleted.
   */
  erase(collection: string, onProgress?: (deletedCount: number) => void): Promise<number>;

  /** Closes its connections, within a bounded time. The store can't be used afterwards. */
  close(): Promise<void>;
}

/**
 * Why the store did not do what was asked.
 * - `conflict`: a guard did not hold. Another writer was faster, or we were, in an attempt whose answer was lost.
 * - `unavailable`: no clear answer. It may work later; a commit may have been applied.
 * - `rejected`: the request itself is wrong, such as a document too large. It will never work as it is.
 */
export type StoreErrorKind = 'conflict' | 'unavailable' | 'rejected';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Firestore refuses longer names (in bytes). */
const NAME_BYTES_MAX = 1500;

/**
 * Every implementation calls this first, so that all of them accept the same paths.
 * https://firebase.google.com/docs/firestore/quotas#collections_documents_and_fields
 * @throws StoreError `rejected` if it can't be the path of a document.
 */
export function assertDocumentPath(path: Path): void {
  const names = path.split('/');
  if (names.length % 2 === 1 || names.some(isReserved)) {
    throw new StoreError('rejected', `"${path.slice(0, 200)}" is not the path of a document`);
  }
}

const isReserved = (name: string): boolean =>
  /^(|\.|\.\.|__.*__)$/su.test(name) || /\p{Cs}/u.test(name) || Buffer.byteLength(name) > NAME_BYTES_MAX;

/** @throws StoreError `rejected` for a write that no implementation could ever carry out. */
export function assertWritable(write: GuardedWrite): void {
  assertDocumentPath(write.path);
  if (write.kind === 'update' && Object.values(write.fields).every((value) => value === undefined)) {
    throw new StoreError('rejected', `An update of ${write.path} names no field`);
  }
}

/** The fields of one document, or undefined if there is none. */
export async function readOne<T extends object>(store: Store, path: Path<T>): Promise<T | undefined> {
  return (await store.read([path])).get(path)?.fields as T | undefined;
}
