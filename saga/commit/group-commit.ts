import { type Clock, pause } from '../ports/clock.ts';
import { type Path, type Store, StoreError } from '../ports/store.ts';
import { type Documents, WorkingCopy, type Write } from './documents.ts';

/**
 * Group commit: many small transactions become one. They are decided one after the other over a common working copy, and
 * what they wrote is committed at once, each document guarded by the version that was read. So a document that many
 * orders want is read and written once per batch instead of once per order.
 *
 * If a batch fails, it is read and decided again; the documents tell whether the failed attempt went through after all.
 * So tasks must be pure: they may run several times and leave one trace.
 */

/** One small transaction. Both functions are pure. */
export interface Task<R> {
  /** The documents needed, given those known so far. Called again until it names nothing new. */
  reads(known: Documents): Iterable<Path>;
  /** Documents that are assumed to be absent without being read, such as the ledger of a uuid that was just drawn. */
  readonly assumedAbsent?: readonly Path[];
  /** What to write, and the result for the caller once that is committed. If it throws, only this task fails. */
  decide(documents: Documents): { readonly writes: readonly Write[]; readonly result: R };
}

/** What the effects need besides the store: time, and chance in [0, 1) for the jitter. */
export interface Environment {
  readonly clock: Clock;
  readonly random: () => number;
}

/** The most tasks in one batch: with two writes each, they nearly fill a commit. */
export const BATCH_MAX = 240;
/** Firestore's own limit; with documents of ordinary size it stays far below 10 MiB. */
export const COMMIT_WRITES_MAX = 500;
/** How often a batch is tried before its tasks are given back. */
export const COMMIT_ATTEMPTS_MAX = 8;
/** Once its guards have failed this often, a batch is halved before each further attempt. */
const OUTRUN_ATTEMPTS = 2;
/** How often `reads` is called: for the ledger, for what the ledger names, once in reserve, and to name nothing more. */
const READ_ROUNDS_MAX = 4;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 1_000;

/**
 * Decides and commits all tasks, in their order, in as few commits as their size allows.
 * Safe to repeat if the tasks are: a task whose effect is already in the documents must write nothing.
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
    // If a commit was full, don't read for many more tasks than it held.
    considered = 2 * committed.length;
  }
  return settled;
}

/**
 * Decides and commits a single task.
 * @returns its result once its writes are committed.
 * @throws what the task threw; StoreError.
 */
export async function commitOne<R>(store: Store, environment: Environment, task: Task<R>): Promise<R> {
  const [settled] = (await groupCommit(store, environment, [task])) as [PromiseSettledResult<R>];
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Commits as many tasks, from the first, as fit into one commit (at least one), or gives all of them back. */
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
      // What was read may be of different moments and contradict itself. So believe a throw only the second time.
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
      // A large batch takes so long between read and commit that a writer with small ones is always faster.
      const isOutrun = error.kind === 'conflict' && attempt >= OUTRUN_ATTEMPTS;
      if (isOutrun) tasks = tasks.slice(0, Math.ceil(tasks.length / 2));
      doubtful = new Set([...doubtful, ...copy.writes.map((write) => write.path)]);
      await pause(environment.clock, backoffMs(attempt, environment.random()));
    }
  }
}

/** One task makes the whole batch impossible. Halving finds it, and the others go on without it. */
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
 * Reads what the tasks need, each document once. After a failed attempt it also reads what that attempt wrote, even if no
 * task asks for it: a document that was assumed absent may exist, perhaps because the attempt went through.
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
      for (const path of task.assumedAbsent ?? []) copy.assumeAbsent(path);
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

/** Exponential backoff with full jitter, so that writers which failed together don't retry together. */
function backoffMs(attempt: number, random: number): number {
  return Math.ceil(random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1)));
}
