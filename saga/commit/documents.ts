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
export const update = <T extends object>(path: Path<T>, fields: Partial<T>): Write => ({
  kind: 'update',
  path,
  fields,
});
export const remove = (path: Path): Write => ({ kind: 'remove', path });

/** What a decision may look at. */
export interface Documents {
  /**
   * The fields of a document; undefined where there is none.
   * @throws Error where nobody asked for the document to be read: to take it for absent would turn a forgotten path
   * into a wrong refusal.
   */
  get<T extends object>(path: Path<T>): T | undefined;
  /** Whether the document was read, or is known to be absent. */
  has(path: Path): boolean;
}

/**
 * Writes of one decision that builds on its own earlier writes, such as a compensation that undoes several steps.
 */
export class Draft implements Documents {
  readonly #base: Documents;
  readonly #changed = new Map<Path, object | undefined>();
  readonly writes: Write[] = [];

  constructor(base: Documents) {
    this.#base = base;
  }

  get<T extends object>(path: Path<T>): T | undefined {
    return this.#changed.has(path) ? (this.#changed.get(path) as T | undefined) : this.#base.get(path);
  }

  has(path: Path): boolean {
    return this.#changed.has(path) || this.#base.has(path);
  }

  /** @throws Error where it updates what is not there. */
  add(writes: readonly Write[]): void {
    for (const write of writes) {
      this.#changed.set(write.path, this.#after(write));
      this.writes.push(write);
    }
  }

  #after(write: Write): object | undefined {
    if (write.kind === 'remove') return undefined;
    if (write.kind === 'create') return write.fields;
    const base = this.get(write.path);
    if (base === undefined) throw new Error(`${write.path} does not exist, so it can't be updated`);
    return { ...base, ...write.fields };
  }
}

/**
 * The documents of one batch as they will be once it is committed: what was read, and over it what the decisions
 * so far have written. So a later decision of the batch sees the earlier one's writes, and the commit holds one
 * write per document, guarded by the version that was read.
 */
export class WorkingCopy implements Documents {
  readonly #read = new Map<Path, Versioned | undefined>();
  readonly #writes = new Map<Path, GuardedWrite>();

  /** Notes what was read; `paths` that are not in `found` do not exist. */
  load(paths: Iterable<Path>, found: ReadonlyMap<Path, Versioned>): void {
    for (const path of paths) this.#read.set(path, found.get(path));
  }

  /** Takes a document for absent that was not read; the guard of its creation holds the assumption to account. */
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
    return (write.kind === 'create' ? write.fields : { ...base, ...write.fields }) as T;
  }

  /**
   * Applies one decision, all of it or nothing. Later writes see the earlier ones.
   * @throws Error where it creates what is there or updates what is not there or was not read.
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
    if (write === undefined) this.#writes.delete(path);
    else this.#writes.set(path, write);
  }

  /** The document's write once `write` comes on top; undefined where both cancel each other out. */
  #merge(write: Write): GuardedWrite | undefined {
    const { path } = write;
    const earlier = this.#writes.get(path);
    const version = this.#read.get(path)?.version;
    const present = this.#current(path) !== undefined;
    switch (write.kind) {
      case 'create':
        if (present) throw new Error(`${path} exists although the ledger says that it doesn't`);
        // Together they would have to replace the document; no step needs that, so no store has to offer it.
        if (earlier !== undefined) throw new Error(`${path} can't be removed and created in one commit`);
        return write;
      case 'update':
        if (!present) throw new Error(`${path} does not exist, so it can't be updated`);
        if (earlier?.kind === 'create') return { ...earlier, fields: { ...earlier.fields, ...write.fields } };
        if (version === undefined) throw new Error(`${path} was not read, so it can't be updated`);
        return { ...write, fields: { ...earlierFields(earlier), ...write.fields }, version };
      case 'remove':
        if (earlier?.kind === 'create') return undefined;
        return version === undefined ? write : { ...write, version };
    }
  }
}

function earlierFields(earlier: GuardedWrite | undefined): object {
  return earlier?.kind === 'update' ? earlier.fields : {};
}
