import type { GuardedWrite, Path, Versioned } from '../ports/store.ts';

/** A change that a decision asks for. Its guard is added from what was read. */
export type Write =
  | { readonly kind: 'create'; readonly path: Path; readonly fields: object }
  | { readonly kind: 'update'; readonly path: Path; readonly fields: object }
  | { readonly kind: 'remove'; readonly path: Path };

export const create = <T extends object>(path: Path<T>, fields: T): Write => ({
  kind: 'create',
  path,
  fields,
});
export const update = (path: Path, fields: object): Write => ({
  kind: 'update',
  path,
  fields,
});
export const remove = (path: Path): Write => ({ kind: 'remove', path });

/** What a decision may look at. */
export interface Documents {
  /**
   * The fields of a document; undefined if there is none.
   * @throws Error if the document was not read. Taking it for absent would turn a forgotten path into a wrong refusal.
   */
  get<T extends object>(path: Path<T>): T | undefined;
  /** Whether the document was read, or is known to be absent. */
  has(path: Path): boolean;
}

/**
 * The documents of one batch as they will be after its commit: what was read, with the writes of the decisions so far on
 * top. So a later decision of the batch sees the writes of earlier ones, and the commit has one write per document,
 * guarded by the version that was read.
 */
export class WorkingCopy implements Documents {
  readonly #read = new Map<Path, Versioned | undefined>();
  readonly #writes = new Map<Path, GuardedWrite>();
  /** Documents as the writes leave them. They are asked for often, and must be the same object until the next write. */
  readonly #updated = new Map<Path, object>();

  /** Adds what was read; `paths` that are not in `found` do not exist. */
  load(paths: Iterable<Path>, found: ReadonlyMap<Path, Versioned>): void {
    for (const path of paths) this.#read.set(path, found.get(path));
  }

  /** Assumes without reading it that a document is absent. If it isn't, the guard of its creation fails. */
  assumeAbsent(path: Path): void {
    if (!this.#read.has(path)) this.#read.set(path, undefined);
  }

  has(path: Path): boolean {
    return this.#read.has(path) || this.#writes.has(path);
  }

  get<T extends object>(path: Path<T>): T | undefined {
    if (!this.has(path)) throw new Error(`${path} was not read: it is missing in what the decision reads`);
    return this.#current(path);
  }

  #current<T extends object>(path: Path<T>): T | undefined {
    const write = this.#writes.get(path);
    const base = this.#read.get(path)?.fields;
    if (write === undefined) return base as T | undefined;
    if (write.kind === 'remove') return undefined;
    let updated = this.#updated.get(path);
    if (updated === undefined) {
      updated = { ...base, ...write.fields };
      this.#updated.set(path, updated);
    }
    return updated as T;
  }

  /**
   * Applies one decision, all of it or nothing. Later writes see the earlier ones.
   * @throws Error if it creates what exists, or updates what does not exist or was not read.
   */
  apply(writes: readonly Write[]): void {
    const before = new Map<Path, GuardedWrite | undefined>();
    try {
      for (const write of writes) {
        if (!before.has(write.path)) before.set(write.path, this.#writes.get(write.path));
        this.#put(write.path, this.#merge(write));
      }
    } catch (error) {
      for (const [path, write] of before) this.#put(path, write);
      throw error;
    }
  }

  /** The writes to commit, one per document. */
  get writes(): GuardedWrite[] {
    return [...this.#writes.values()];
  }

  get writeCount(): number {
    return this.#writes.size;
  }

  #put(path: Path, write: GuardedWrite | undefined): void {
    this.#updated.delete(path);
    if (write === undefined) this.#writes.delete(path);
    else this.#writes.set(path, write);
  }

  /** The document's write with `write` on top; undefined if both cancel each other out. */
  #merge(write: Write): GuardedWrite | undefined {
    const { path } = write;
    const earlier = this.#writes.get(path);
    const version = this.#read.get(path)?.version;
    const present = this.#current(path) !== undefined;
    switch (write.kind) {
      case 'create':
        if (present) throw new Error(`${path} exists although the ledger says that it doesn't`);
        // Both together would replace the document. No step needs that, so no store has to offer it.
        if (earlier !== undefined) throw new Error(`${path} can't be removed and created in one commit`);
        return write;
      case 'update':
        if (!present) throw new Error(`${path} does not exist, so it can't be updated`);
        if (earlier?.kind === 'create') {
          return { kind: 'create', path, fields: { ...earlier.fields, ...write.fields } };
        }
        if (version === undefined) throw new Error(`${path} was not read, so it can't be updated`);
        return {
          kind: 'update',
          path,
          fields: earlier?.kind === 'update' ? { ...earlier.fields, ...write.fields } : write.fields,
          version,
        };
      case 'remove':
        if (earlier?.kind === 'create') return undefined;
        return version === undefined ? write : { kind: 'remove', path, version };
    }
  }
}
