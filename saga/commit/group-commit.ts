import { type Clock, pause } from '../ports/clock.ts';
import { type Path, type Store, StoreError } from '../ports/store.ts';
import { type Documents, WorkingCopy, type Write } from './documents.ts';

/**
 * Group commit: many small transactions become one. All of them are decided one after the other over a common
 * working copy, and what they wrote is committed at once, each document guarded by the version that was read. One
 * document that everybody wants is then read and written once per batch instead of once per order.
 *
 * A batch that fails is read and decided again; the documents tell whether the failed attempt went through after
 * all. So tasks must be pure: they may run several times and leave one trace.
 */

/** One small transaction. Both functions are pure. */
export interface Task<R> {
  /** The documents needed, given those known so far. Asked again until it names nothing new. */
  reads(known: Documents): Iterable<Path>;
  /** Documents that are taken for absent without being read, such as the ledger of a uuid that was just drawn. */
  readonly assumedAbsent?: readonly Path[];
  /** What to write, and what to tell the caller once that is committed. A throw fails this task alone. */
  decide(documents: Documents): { readonly writes: readonly Write[]; readonly result: R };
}

/** What the effects need besides the store: time, and chance in [0, 1) for the jitter. */
export interface Environment {
  readonly clock: Clock;
  readonly random: () => number;
}

/** How many tasks are worth being committed together: with two writes each they nearly fill a commit. */
export const BATCH_MAX = 240;
/** The limit of Firestore's batches, and far below 10 MiB for documents of ordinary size. */
export const COMMIT_WRITES_MAX = 500;
/** How often a batch is decided before its tasks are given back. */
export const COMMIT_ATTEMPTS_MAX = 8;
/** A batch that was refused so often by its guards is halved before each further attempt. */
const OUTRUN_ATTEMPTS = 2;
/** How often `reads` is asked: for the ledger, for what the ledger names, one in reserve, and to name nothing more. */
const READ_ROUNDS_MAX = 4;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 1_000;

/**
 * Decides and commits all tasks, in their order, in as few commits as their size allows.
 * Safe to repeat as far as the tasks are: a task whose effect is already in the documents must write nothing.
 * @returns what came of each task, in their order: its result once its writes are committed, or the error.
 * Never rejects.
 */
export async function groupCommit<R>(
  store: Store,
  environment: Environment,
  tasks: readonly Task<R>[],
): Promise<PromiseSettledResult<R>[]> {
  const settled: PromiseSettledResult<R>[] = [];
  let considered = tasks.length;
  while (settled.length < tasks.length) {
    const next = tasks.slice(settled.length, settled.length + considered);
    const committed = await commitSome(store, environment, next);
    settled.push(...committed);
    // Where a commit was full, reading for many more than it held would be reading in vain.
    if (committed.length < next.length) considered = 2 * committed.length;
  }
  return settled;
}

/** Commits as many of the first tasks as fit into one commit, at least one, or gives all of them back. */
async function commitSome<R>(
  store: Store,
  environment: Environment,
  offered: readonly Task<R>[],
): Promise<PromiseSettledResult<R>[]> {
  let tasks = offered;
  let doubtful: ReadonlySet<Path> = new Set();
  let hasThrown = false;
  for (let attempt = 1; ; attempt++) {
    const copy = new WorkingCopy();
    try {
      await readAll(store, copy, tasks, doubtful);
      const settled = decideSome(copy, tasks);
      // What was read need not be of one moment, and may contradict itself: a throw is believed the second time.
      if (!hasThrown && settled.some(({ status }) => status === 'rejected')) {
        hasThrown = true;
        continue;
      }
      if (copy.writeCount > 0) await store.commit(copy.writes);
      return settled;
    } catch (error) {
      const hopeless = !(error instanceof StoreError) || error.kind === 'rejected';
      if (hopeless && tasks.length > 1) return commitHalves(store, environment, tasks);
      if (hopeless || attempt === COMMIT_ATTEMPTS_MAX) {
        return offered.map(() => ({ status: 'rejected', reason: error }));
      }
      // Between its read and its commit a large batch takes so long that somebody with small ones is always faster.
      const isOutrun = error.kind === 'conflict' && attempt >= OUTRUN_ATTEMPTS;
      if (isOutrun) tasks = tasks.slice(0, Math.ceil(tasks.length / 2));
      doubtful = new Set([...doubtful, ...copy.writes.map((write) => write.path)]);
      await pause(environment.clock, backoffMs(attempt, environment.random()));
    }
  }
}

/** One task makes the whole batch impossible: halving finds it, and the others go on without it. */
async function commitHalves<R>(
  store: Store,
  environment: Environment,
  tasks: readonly Task<R>[],
): Promise<PromiseSettledResult<R>[]> {
  const middle = Math.ceil(tasks.length / 2);
  return [
    ...(await groupCommit(store, environment, tasks.slice(0, middle))),
    ...(await groupCommit(store, environment, tasks.slice(middle))),
  ];
}

/**
 * Reads what the tasks need, each document once. After a failed attempt, what it wrote is read as well, even where
 * no task asks for it: a document that was assumed absent may be there, perhaps because that attempt went through.
 */
async function readAll(
  store: Store,
  copy: WorkingCopy,
  tasks: readonly Task<unknown>[],
  doubtful: ReadonlySet<Path>,
): Promise<void> {
  for (let round = 1; round <= READ_ROUNDS_MAX; round++) {
    const wanted = new Set<Path>(round === 1 ? doubtful : []);
    for (const task of tasks) {
      for (const path of task.assumedAbsent ?? []) if (!wanted.has(path)) copy.assumeAbsent(path);
      for (const path of task.reads(copy)) if (!copy.has(path)) wanted.add(path);
    }
    if (wanted.size === 0) return;
    const paths = [...wanted];
    copy.load(paths, await store.read(paths));
  }
  throw new Error(`A task still names new documents after ${READ_ROUNDS_MAX} rounds of reading`);
}

/** Decides the first tasks until the commit is full. A task that throws fails alone: its writes are not applied. */
function decideSome<R>(copy: WorkingCopy, tasks: readonly Task<R>[]): PromiseSettledResult<R>[] {
  const settled: PromiseSettledResult<R>[] = [];
  for (const task of tasks) {
    try {
      const { writes, result } = task.decide(copy);
      if (settled.length > 0 && copy.writeCount + writes.length > COMMIT_WRITES_MAX) break;
      copy.apply(writes);
      settled.push({ status: 'fulfilled', value: result });
    } catch (reason) {
      settled.push({ status: 'rejected', reason });
    }
  }
  return settled;
}

/** Exponential backoff with full jitter: who failed together does not retry together. */
function backoffMs(attempt: number, random: number): number {
  return Math.ceil(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1)));
}
