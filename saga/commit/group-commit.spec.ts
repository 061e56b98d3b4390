import { expect } from 'chai';
import fc from 'fast-check';
import { storeHolding } from '../../test/support/builders.ts';
import { type CommitFault, createFaultyStore, type FaultyStore } from '../../test/support/faulty-store.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { type Path, readOne, StoreError } from '../ports/store.ts';
import { create, type Documents, update, type Write } from './documents.ts';
import { COMMIT_ATTEMPTS_MAX, COMMIT_WRITES_MAX, commitOne, groupCommit, type Task } from './group-commit.ts';

interface Counter {
  readonly count: number;
}
const COUNTER: Path<Counter> = 'counters/one';
const receiptPath = (id: number): Path<object> => `receipts/${id}`;

/** Adds one to the counter, once: its receipt is to it what the ledger is to a step. */
const increment = (id: number, decided: number[] = []): Task<string> => ({
  reads: () => [COUNTER, receiptPath(id)],
  decide(documents) {
    decided.push(id);
    if (documents.get(receiptPath(id))) return { writes: [], result: `${id} was done` };
    const count = (documents.get(COUNTER)?.count ?? 0) + 1;
    return {
      writes: [update(COUNTER, { count }), create(receiptPath(id), { count })],
      result: `${id} makes ${count}`,
    };
  },
});
const increments = (count: number): Task<string>[] => Array.from({ length: count }, (_, id) => increment(id));

const writing = (writes: readonly Write[], reads: readonly Path[] = []): Task<string> => ({
  reads: () => reads,
  decide: () => ({ writes, result: 'done' }),
});

const creates = (count: number, name: string): Task<string> =>
  writing(Array.from({ length: count }, (_, index) => create(`${name}/${index}`, {})));

const counterStore = async (): Promise<FaultyStore> =>
  createFaultyStore(await storeHolding({ [COUNTER]: { count: 0 } }));

const clock = createManualClock();
const commitAll = <R>(store: FaultyStore, tasks: readonly Task<R>[], random = 0.5) =>
  clock.finish(groupCommit(store, { clock, random: () => random }, tasks));

/** Results in words: what a task said, or why it was rejected. */
const words = (settled: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  settled.map((result) =>
    result.status === 'fulfilled' ? result.value : `rejected: ${result.reason.message}`,
  );

const countOf = async (store: FaultyStore) => (await readOne(store, COUNTER))?.count;

describe('A group commit', () => {
  it('[anomaly 33] makes many changes of one document in one read and one commit', async () => {
    const store = await counterStore();
    expect(words(await commitAll(store, increments(3)))).to.deep.equal([
      '0 makes 1',
      '1 makes 2',
      '2 makes 3',
    ]);
    expect(store.reads).to.deep.equal([[COUNTER, 'receipts/0', 'receipts/1', 'receipts/2']]);
    expect(store.commits.map((writes) => writes.map(({ kind, path }) => `${kind} ${path}`))).to.deep.equal([
      [`update ${COUNTER}`, 'create receipts/0', 'create receipts/1', 'create receipts/2'],
    ]);
    expect(await countOf(store)).to.equal(3);
  });

  it('does nothing for no tasks, and commits nothing where nothing is written', async () => {
    const store = await counterStore();
    expect(await commitAll(store, [])).to.deep.equal([]);
    expect(words(await commitAll(store, [writing([])]))).to.deep.equal(['done']);
    expect([store.reads, store.commits]).to.deep.equal([[], []]);
  });

  it('reads what turns out to be needed once the first documents are known, each only once', async () => {
    const store = createFaultyStore(await storeHolding({ 'd/1': { next: 'd/2' }, 'd/2': { next: 'd/3' } }));
    const nextOf = (known: Documents, path: string) =>
      known.has(path) ? known.get<{ next: string }>(path)?.next : undefined;
    const follow = (known: Documents): Path[] => {
      const paths: Path[] = [];
      for (let path: Path | undefined = 'd/1'; path !== undefined; path = nextOf(known, path))
        paths.push(path);
      return paths;
    };
    const task: Task<string> = {
      reads: follow,
      decide: (documents) => ({ writes: [], result: follow(documents).join() }),
    };
    expect(words(await commitAll(store, [task]))).to.deep.equal(['d/1,d/2,d/3']);
    expect(store.reads).to.deep.equal([['d/1'], ['d/2'], ['d/3']]);
  });

  it('[anomaly 14] reads and decides again where somebody else was faster, and both count', async () => {
    const store = await counterStore();
    const decided: number[] = [];
    store.commitFaults.push(async () => {
      await groupCommit(store, { clock, random: () => 0.5 }, [increment(7)]);
    });
    expect(words(await commitAll(store, [increment(1, decided)]))).to.deep.equal(['1 makes 2']);
    expect(decided).to.deep.equal([1, 1]);
    expect(await countOf(store)).to.equal(2);
  });

  it('[anomalies 14, 33] makes a batch smaller that somebody with smaller ones always outruns', async () => {
    const store = await counterStore();
    let rivals = 1000;
    const outrun: FaultyStore = {
      ...store,
      async commit(writes) {
        if (writes.length > 30) await groupCommit(store, { clock, random: () => 0.5 }, [increment(rivals++)]);
        await store.commit(writes);
      },
    };
    const settled = await commitAll(outrun, increments(100));
    expect(settled.filter(({ status }) => status === 'rejected')).to.deep.equal([]);
    expect(await countOf(store)).to.equal(100 + rivals - 1000);
  });

  for (const fault of ['lost answer', 'own success'] as const) {
    it(`[anomaly 19] sees its own effect after a commit that went through although it failed (${fault})`, async () => {
      const store = await counterStore();
      store.commitFaults.push(fault);
      expect(words(await commitAll(store, increments(2)))).to.deep.equal(['0 was done', '1 was done']);
      expect([store.commits.length, await countOf(store)]).to.deep.equal([1, 2]);
    });
  }

  for (const fault of ['unavailable', 'conflict'] as const) {
    it(`[anomaly 19] does again what did not go through (${fault})`, async () => {
      const store = await counterStore();
      store.commitFaults.push(fault);
      expect(words(await commitAll(store, increments(2)))).to.deep.equal(['0 makes 1', '1 makes 2']);
      expect([store.commits.length, await countOf(store)]).to.deep.equal([1, 2]);
    });
  }

  it('[anomaly 37] waits for a store that is away while it reads', async () => {
    const store = await counterStore();
    store.readFaults = 2;
    expect(words(await commitAll(store, increments(1)))).to.deep.equal(['0 makes 1']);
    expect(store.reads).to.have.length(3);
  });

  it('[anomaly 23] lets a task that throws fail alone', async () => {
    const store = await counterStore();
    const surprise: Task<string> = {
      reads: () => [COUNTER],
      decide() {
        throw new Error('Surprise');
      },
    };
    const impossible = writing(
      [update(COUNTER, { count: 99 }), update('d/absent', {})],
      [COUNTER, 'd/absent'],
    );
    expect(words(await commitAll(store, [increment(0), surprise, impossible, increment(1)]))).to.deep.equal([
      '0 makes 1',
      'rejected: Surprise',
      "rejected: d/absent does not exist, so it can't be updated",
      '1 makes 2',
    ]);
    expect([store.commits.length, await countOf(store)]).to.deep.equal([1, 2]);
  });

  it("[anomaly 23] lets a task that can't even say what it reads fail alone", async () => {
    const store = await counterStore();
    const surprise: Task<string> = {
      reads() {
        throw new Error('Surprise');
      },
      decide: () => ({ writes: [], result: 'never' }),
    };
    expect(words(await commitAll(store, [increment(0), surprise, increment(1)]))).to.deep.equal([
      '0 makes 1',
      'rejected: Surprise',
      '1 makes 2',
    ]);
  });

  it('[anomaly 23] halves a batch that the store rejects until only the bad task fails', async () => {
    const store = await counterStore();
    store.poison = (path) => path === receiptPath(5);
    const settled = words(await commitAll(store, increments(8)));
    expect(settled).to.deep.equal([
      '0 makes 1',
      '1 makes 2',
      '2 makes 3',
      '3 makes 4',
      '4 makes 5',
      'rejected: The spec says: rejected',
      '6 makes 6',
      '7 makes 7',
    ]);
    expect([store.commits.length, await countOf(store)]).to.deep.equal([3, 7]);
  });

  it('takes several commits for what exceeds the limit of one', async () => {
    const store = await counterStore();
    const settled = words(await commitAll(store, increments(COMMIT_WRITES_MAX)));
    expect(settled).to.deep.equal(
      Array.from({ length: COMMIT_WRITES_MAX }, (_, id) => `${id} makes ${id + 1}`),
    );
    expect(store.commits).to.have.length(2);
    expect(store.commits.every((writes) => writes.length <= COMMIT_WRITES_MAX)).to.equal(true);
    expect(await countOf(store)).to.equal(COMMIT_WRITES_MAX);
  });

  it('reads for no more than twice as many tasks as the last commit held', async () => {
    const store = await counterStore();
    await commitAll(store, increments(2_500));
    // A commit holds 498 of them, and each read has the counter as well.
    expect(store.reads.map((paths) => paths.length)).to.deep.equal([2_501, 997, 997, 997, 509, 11]);
  });

  it('makes a batch smaller once its guards have failed twice, and not because the store is away', async () => {
    const sizesAfter = async (...faults: CommitFault[]) => {
      const store = await counterStore();
      store.commitFaults.push(...faults);
      await commitAll(store, increments(4));
      return store.commits.map((writes) => writes.length - 1);
    };
    expect(await sizesAfter('conflict')).to.deep.equal([4]);
    expect(await sizesAfter('conflict', 'conflict')).to.deep.equal([2, 2]);
    expect(await sizesAfter('unavailable', 'unavailable', 'unavailable')).to.deep.equal([4]);
  });

  it('fills a commit up to its limit exactly', async () => {
    const store = createFaultyStore(await storeHolding({}));
    await commitAll(store, [creates(200, 'a'), creates(300, 'b'), creates(1, 'c')]);
    expect(store.commits.map((writes) => writes.length)).to.deep.equal([COMMIT_WRITES_MAX, 1]);
  });

  it('tries a task that is larger than a commit by itself, and then goes on', async () => {
    const store = createFaultyStore(await storeHolding({}));
    const tasks = [creates(COMMIT_WRITES_MAX + 1, 'a'), creates(1, 'b')];
    // A commit that takes no task at all would be tried for ever, without a turn for anything else: end that as a failure.
    let taken = 0;
    tasks.slice = (...range) => {
      if (++taken > 10) throw new Error('No commit takes a task');
      return Array.prototype.slice.apply(tasks, range);
    };
    expect(words(await commitAll(store, tasks))).to.deep.equal(['done', 'done']);
    expect(store.commits.map((writes) => writes.length)).to.deep.equal([COMMIT_WRITES_MAX + 1, 1]);
  });

  it('[anomaly 34] gives up after its last attempt, with all tasks rejected', async () => {
    for (const fault of ['conflict', 'unavailable'] as const) {
      const store = await counterStore();
      store.commitFaults.push(...Array<CommitFault>(COMMIT_ATTEMPTS_MAX).fill(fault));
      const settled = words(await commitAll(store, increments(2)));
      expect(settled).to.deep.equal(Array(2).fill(`rejected: The spec says: ${fault}`));
      expect([store.reads.length, store.commitFaults.length, await countOf(store)]).to.deep.equal([
        COMMIT_ATTEMPTS_MAX,
        0,
        0,
      ]);
    }
  });

  it('[anomaly 34] succeeds with its last attempt', async () => {
    const store = await counterStore();
    store.commitFaults.push(...Array<CommitFault>(COMMIT_ATTEMPTS_MAX - 1).fill('conflict'));
    expect(words(await commitAll(store, increments(1)))).to.deep.equal(['0 makes 1']);
  });

  it('[anomaly 34] waits longer after each failure, up to a second, and by chance less', async () => {
    const pauses = async (random: number) => {
      const store = await counterStore();
      store.commitFaults.push(...Array<CommitFault>(COMMIT_ATTEMPTS_MAX).fill('conflict'));
      const before = clock.pausesMs.length;
      await commitAll(store, increments(1), random);
      return clock.pausesMs.slice(before);
    };
    expect(await pauses(1)).to.deep.equal([20, 40, 80, 160, 320, 640, 1000]);
    expect(await pauses(0.5)).to.deep.equal([10, 20, 40, 80, 160, 320, 500]);
    expect(await pauses(0)).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
  });

  it('learns that a document which it took for absent is there', async () => {
    const store = createFaultyStore(await storeHolding({ 'd/new': { by: 'somebody' } }));
    const seen: (object | undefined)[] = [];
    const claim: Task<string> = {
      assumedAbsent: ['d/new'],
      reads: () => [],
      decide(documents) {
        const found = documents.get<{ by: string }>('d/new');
        seen.push(found);
        return found
          ? { writes: [], result: `it is ${found.by}'s` }
          : { writes: [create('d/new', { by: 'me' })], result: 'it is mine' };
      },
    };
    expect(words(await commitAll(store, [claim]))).to.deep.equal(["it is somebody's"]);
    expect(seen).to.deep.equal([undefined, { by: 'somebody' }]);
    expect(store.reads).to.deep.equal([['d/new']]);
  });

  it('fails a task that decides on what it did not ask to read, and no other', async () => {
    const store = await counterStore();
    const careless: Task<string> = {
      reads: () => [],
      decide: (documents) => ({ writes: [], result: documents.get('d/forgotten') ? 'there' : 'not there' }),
    };
    expect(words(await commitAll(store, [writing([]), careless]))).to.deep.equal([
      'done',
      'rejected: d/forgotten was not read: it is missing in what the decision reads',
    ]);
  });

  it('fails a task that never stops naming documents, and no other', async () => {
    const store = await counterStore();
    let count = 0;
    const endless: Task<string> = {
      reads: () => [`d/${count++}`],
      decide: () => ({ writes: [], result: 'decided' }),
    };
    expect(words(await commitAll(store, [writing([]), endless]))).to.deep.equal([
      'done',
      'rejected: A task still names new documents after 4 rounds of reading',
    ]);
  });

  it('remembers what a lost commit wrote, even when the next read fails, too', async () => {
    const store = createFaultyStore(await storeHolding({}));
    const seen: boolean[] = [];
    const claim: Task<string> = {
      assumedAbsent: ['d/new'],
      reads: () => [],
      decide(documents) {
        const found = documents.get('d/new') !== undefined;
        seen.push(found);
        if (!found) store.readFaults = 1;
        return found
          ? { writes: [], result: 'it is there' }
          : { writes: [create('d/new', {})], result: 'created' };
      },
    };
    store.commitFaults.push('lost answer');
    expect(words(await commitAll(store, [claim]))).to.deep.equal(['it is there']);
    expect(seen).to.deep.equal([false, true]);
  });

  it('[anomaly 14] never loses or doubles a change, whatever fails and whoever competes', async () => {
    const fault = fc.constantFrom<(CommitFault | undefined)[]>(
      undefined,
      'conflict',
      'unavailable',
      'rejected',
      'lost answer',
      'own success',
    );
    const worker = fc.record({
      batches: fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 }),
      faults: fc.array(fault, { maxLength: 8 }),
      readFaults: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(worker, { minLength: 1, maxLength: 3 }), async (workers) => {
        const memory = await storeHolding({ [COUNTER]: { count: 0 } });
        const told = await clock.finish(
          Promise.all(
            workers.map(async ({ batches, faults, readFaults }) => {
              const store = createFaultyStore(memory);
              store.commitFaults.push(...faults);
              store.readFaults = readFaults;
              const environment = { clock, random: () => 0.5 };
              const done = new Set<number>();
              for (const batch of batches) {
                const settled = await groupCommit(
                  store,
                  environment,
                  batch.map((id) => increment(id)),
                );
                settled.forEach(({ status }, index) => {
                  if (status === 'fulfilled') done.add(batch[index] ?? -1);
                });
              }
              return done;
            }),
          ),
        );
        const receipts = await memory.list('receipts', 100);
        expect((await readOne(memory, COUNTER))?.count).to.equal(receipts.length);
        const counts = receipts
          .map(({ fields }) => (fields as Counter).count)
          .sort((one, other) => one - other);
        expect(counts).to.deep.equal(receipts.map((_, index) => index + 1));
        expect(receipts.map(({ id }) => Number(id))).to.include.members(told.flatMap((done) => [...done]));
      }),
      { numRuns: 200 },
    );
  });

  it('reads once more before it believes a task that fails, because a read may span two moments', async () => {
    const store = await counterStore();
    const before = await store.read([COUNTER]);
    await commitAll(store, increments(1));
    const torn: FaultyStore = {
      ...store,
      async read(paths) {
        const found = await store.read(paths);
        // The counter from before the first increment, its receipt from after it.
        return store.reads.length === 3 ? new Map([...found, ...before]) : found;
      },
    };
    const strict: Task<string> = {
      reads: () => [COUNTER, 'receipts/0'],
      decide(documents) {
        const isCounted = documents.get<Counter>(COUNTER)?.count === 1;
        const hasReceipt = documents.get('receipts/0') !== undefined;
        if (isCounted !== hasReceipt) throw new Error('The books contradict each other');
        return { writes: [], result: 'in order' };
      },
    };
    expect(words(await commitAll(torn, [writing([]), strict]))).to.deep.equal(['done', 'in order']);
  });

  it('tells a rejection apart from what may work later', async () => {
    const store = await counterStore();
    store.poison = () => true;
    const [settled] = await commitAll(store, increments(1));
    expect(settled)
      .to.have.property('reason')
      .that.is.an.instanceOf(StoreError)
      .with.property('kind', 'rejected');
    expect([store.reads.length, store.commits.length]).to.deep.equal([1, 0]);
  });
});

describe('A single task', () => {
  it('gives its result once it is committed, or fails as it would among others', async () => {
    const store = await counterStore();
    const environment = { clock, random: () => 0.5 };
    expect(await clock.finish(commitOne(store, environment, increment(7)))).to.equal('7 makes 1');
    expect(await countOf(store)).to.equal(1);
    const again = writing([create(COUNTER, { count: 1 })], [COUNTER]);
    const error = await clock.finish(commitOne(store, environment, again)).catch((reason: Error) => reason);
    expect(error).to.have.property('message', `${COUNTER} exists although the ledger says that it doesn't`);
  });
});
