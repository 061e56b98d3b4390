/**
 * The store port: what the kernel asks of a document database. Two implementations stand behind it, Firestore
 * and the embedded one, and one contract suite holds both to what is written here.
 */

/** What a document holds: JSON values, and `Date` where a moment is meant. */
export type Fields = Readonly<Record<string, unknown>>;

/** Where a document lives, such as `inventory/widget`; the type says what it holds there. */
export type Path<T extends object = object> = string & { readonly holds?: T };

/** Which state of a document was read. Opaque: only the store that handed it out can compare it. */
export type Version = { readonly opaque: unique symbol };

/** A document as it was read. */
export interface Versioned<T extends object = object> {
  readonly fields: T;
  readonly version: Version;
}

/**
 * A change to one document, with the guard that makes the commit fail if the document is no longer what was read.
 * - `create` demands that there is no such document.
 * - `update` demands the version that was read, replaces the given top-level fields and leaves the others.
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
  /** Continue behind this place; without it, start with the newest. */
  readonly after?: Cursor;
  /** The most documents to return, 1 to 1,000. */
  readonly limit: number;
}

export interface Store {
  /**
   * Reads documents as they are at one moment, in one round trip. What does not exist is absent from the answer.
   * @throws StoreError `unavailable` when no answer came; may be called again.
   */
  read(paths: readonly Path[]): Promise<ReadonlyMap<Path, Versioned>>;

  /**
   * Applies all writes atomically, or none. At most one write per path.
   * @throws StoreError. After `conflict` or `unavailable` the writes may nevertheless have been applied (a client
   * that repeats a commit can meet its own success): read again to know.
   */
  commit(writes: readonly GuardedWrite[]): Promise<void>;

  /**
   * Lists documents. The answer may lag behind nothing: it is consistent with every commit that has returned.
   * @throws StoreError `unavailable` when no answer came; may be called again.
   */
  query(query: Query): Promise<readonly object[]>;

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

  /** Lets go of connections. The store can't be used afterwards. */
  close(): Promise<void>;
}

/**
 * Why the store did not do what was asked.
 * - `conflict`: a guard did not hold. Somebody else was faster, or we were, in an attempt whose answer was lost.
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

/** The fields of one document, or undefined where there is none. */
export async function readOne<T extends object>(store: Store, path: Path<T>): Promise<T | undefined> {
  return (await store.read([path])).get(path)?.fields as T | undefined;
}
