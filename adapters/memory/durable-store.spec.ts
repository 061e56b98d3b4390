import { execFile } from 'node:child_process';
import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ClassicLevel } from 'classic-level';
import { packageRoot } from '../../programs/config.ts';
import type { GuardedWrite, Path, Store } from '../../saga/ports/store.ts';
import { readOne } from '../../saga/ports/store.ts';
import { runProgram } from '../../test/support/child.ts';
import { inTemporaryFolder } from '../../test/support/temporary-folder.ts';
import { outcomeOf } from '../../test-kit/contracts/store-contract.ts';
import { type Disk, openDisk } from './disk.ts';
import { openDurableStore } from './durable-store.ts';

const create = (path: Path, fields: object): GuardedWrite => ({ kind: 'create', path, fields });

/** What went wrong, as the sentence that people read; undefined if nothing did. */
const sentenceOf = (work: Promise<Store>): Promise<string | undefined> =>
  work.then(
    (store) => store.close().then(() => undefined),
    (error: Error) => error.message,
  );

async function withStore<T>(folder: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openDurableStore(folder);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What the constant writer has left: the numbers in the documents of each writer. */
const leftBy = (store: Store, writer: number) =>
  store
    .list(`writer-${writer}`, 10)
    .then((documents) => documents.map(({ fields }) => (fields as { n: number }).n));

/** What each writer was answered last. */
const lastAnswersIn = (output: string): Map<number, number> =>
  new Map(
    output.split('\n').flatMap((line) => {
      const [, writer, n] = /^(\d+) (\d+)$/.exec(line) ?? [];
      return n === undefined ? [] : [[Number(writer), Number(n)] as const];
    }),
  );

/** Each writer has left all of its last commit that was answered, or all of the one after that. */
async function expectWhole(folder: string, output: string): Promise<void> {
  await withStore(folder, async (store) => {
    for (const [writer, last] of lastAnswersIn(output)) {
      const [n = 0, ...others] = await leftBy(store, writer);
      expect(others, `writer ${writer}`).to.deep.equal([n, n, n, n]);
      expect(n).to.be.oneOf([last, last + 1]);
    }
  });
}

describe('The embedded store that lasts', () => {
  it('has every document after a restart, exactly as it was written', () =>
    inTemporaryFolder(async (folder) => {
      const moment = new Date('1969-12-31T23:59:59.999Z');
      const fields = {
        text: 'Grüße, 世界 🎁 "quoted" \\ \n \u0000',
        list: [1, null, 'a', { at: moment }],
        moments: [moment, new Date(0)],
        empty: [[], {}].flat(),
        map: { ['__proto__']: { deep: moment }, 'a.b': -0.5, none: null },
        big: Number.MAX_SAFE_INTEGER,
      };
      await withStore(folder, async (store) => {
        await store.commit([create('kept/a', fields), create('kept/a/below/1', { n: 1 })]);
        await store.commit([create('removed/a', {}), create('erased/a/below/1', {})]);
        await store.commit([{ kind: 'remove', path: 'removed/a' }]);
        await store.erase('erased');
      });
      await withStore(folder, async (store) => {
        expect(await readOne(store, 'kept/a')).to.deep.equal(fields);
        expect(await readOne(store, 'kept/a/below/1')).to.deep.equal({ n: 1 });
        expect((await store.read(['removed/a', 'erased/a/below/1'])).size).to.equal(0);
      });
    }));

  it('goes on writing after a restart under guards of its own', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, (store) => store.commit([create('a/1', { n: 1 })]));
      await withStore(folder, async (store) => {
        const version = (await store.read(['a/1'])).get('a/1')?.version;
        if (version === undefined) throw new Error('The document is gone');
        const update = { kind: 'update', path: 'a/1', fields: { n: 2 }, version } as const;
        expect(await outcomeOf(store.commit([create('a/1', {})]))).to.equal('conflict');
        expect(await outcomeOf(store.commit([update]))).to.equal('done');
        expect(await outcomeOf(store.commit([update]))).to.equal('conflict');
      });
      expect(await withStore(folder, (store) => readOne(store, 'a/1'))).to.deep.equal({ n: 2 });
    }));

  it('shows a commit to readers only once it is on disk, and writes what came meanwhile together', () =>
    inTemporaryFolder(async (folder) => {
      const writes: number[] = [];
      const gates: (() => void)[] = [];
      const store = await openDurableStore(folder, {
        open: async (...args) => {
          const disk = await openDisk(...args);
          return {
            ...disk,
            async write(changes) {
              writes.push(changes.size);
              await new Promise<void>((resolve) => gates.push(resolve));
              await disk.write(changes);
            },
          };
        },
      });
      const first = store.commit([create('a/1', {})]);
      const later = [2, 3, 4].map((n) => store.commit([create(`a/${n}`, {})]));
      const conflict = outcomeOf(store.commit([create('a/4', { other: true })]));
      expect(await readOne(store, 'a/1')).to.equal(undefined);
      gates[0]?.();
      await first;
      expect(await readOne(store, 'a/1')).to.deep.equal({});
      expect(await readOne(store, 'a/2')).to.equal(undefined);
      while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve));
      gates[1]?.();
      await Promise.all(later);
      expect(await conflict).to.equal('conflict');
      expect(writes).to.deep.equal([1, 3]);
      await store.close();
    }));

  it('[anomaly 55] has all of a commit or nothing after it was killed in the midst of it, and all that was answered', async () => {
    await inTemporaryFolder(async (folder) => {
      for (let kill = 0; kill < 5; kill++) {
        const child = runProgram('test/support/constant-writer.js', [folder]);
        const answered = kill * 25 + 10;
        await child.line(new RegExp(`^\\d ${answered}$`));
        child.process.kill('SIGKILL');
        await child.exited;
        await expectWhole(folder, child.answer());
      }
    });
  }).timeout(60_000);

  it('[anomaly 55] has all of a commit or nothing where its file could grow no further in the midst of it', () =>
    inTemporaryFolder(async (folder) => {
      const writer = fileURLToPath(new URL('dist/test/support/constant-writer.js', packageRoot));
      const limited = 'trap "" XFSZ; ulimit -f 600; exec "$@"';
      const run = promisify(execFile)('sh', ['-c', limited, 'sh', process.execPath, writer, folder]);
      const { stdout } = await run.catch((error: { stdout: string }) => error);
      expect(stdout).to.match(/^unavailable: The commit could not be written to disk: .*File too large$/m);
      expect(lastAnswersIn(stdout).size).to.be.above(0);
      await expectWhole(folder, stdout);
    }));

  for (const [when, isWritten] of [
    ['before anything was written', false],
    ['after everything was written', true],
  ] as const) {
    it(`[anomaly 55] answers that a commit is unavailable which failed ${when}, and goes on with what is on disk`, () =>
      inTemporaryFolder(async (folder) => {
        let failing = false;
        const store = await openDurableStore(folder, {
          open: async (...args): Promise<Disk> => {
            const disk = await openDisk(...args);
            return {
              ...disk,
              async write(changes) {
                if (!failing || isWritten) await disk.write(changes);
                if (failing) throw new Error('No space left on device');
              },
            };
          },
        });
        await store.commit([create('a/1', { n: 1 })]);
        failing = true;
        const both = [create('a/2', { n: 2 }), create('a/3', { n: 3 })];
        expect(await outcomeOf(store.commit(both))).to.equal('unavailable');
        expect((await store.read(['a/2', 'a/3'])).size).to.equal(0);
        failing = false;
        expect(await outcomeOf(store.commit(both))).to.equal(isWritten ? 'conflict' : 'done');
        expect((await store.read(['a/1', 'a/2', 'a/3'])).size).to.equal(3);
        await store.close();
        expect(await withStore(folder, (again) => again.list('a', 10))).to.have.length(3);
      }));
  }

  it('[anomaly 55] never begins anew by itself while it is open: without its files, commits are unavailable', () =>
    inTemporaryFolder(async (folder) => {
      const data = join(folder, 'data');
      let failing = false;
      const store = await openDurableStore(data, {
        open: async (...args) => {
          const disk = await openDisk(...args);
          return {
            ...disk,
            write: (changes) => (failing ? Promise.reject(new Error('gone')) : disk.write(changes)),
          };
        },
      });
      await store.commit([create('a/1', {})]);
      failing = true;
      await outcomeOf(store.commit([create('a/2', {})]));
      await rm(data, { recursive: true });
      failing = false;
      expect(await outcomeOf(store.commit([create('a/2', {})]))).to.equal('unavailable');
      expect(await readOne(store, 'a/1')).to.deep.equal({});
      await store.close();
    }));

  it('[anomaly 55] says in one sentence that another process has the folder', () =>
    inTemporaryFolder((folder) =>
      withStore(folder, async () => {
        expect(await sentenceOf(openDurableStore(folder))).to.equal(
          `${folder} is in use by another process: stop that, or start with --memory`,
        );
        expect(await sentenceOf(openDurableStore(folder, { fresh: true }))).to.contain('is in use');
      }),
    ));

  it('[anomaly 55] says in one sentence that its files are damaged, and begins anew where that is asked for', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, (store) => store.commit([create('a/1', {})]));
      await writeFile(join(folder, 'CURRENT'), 'MANIFEST-999999\n');
      expect(await sentenceOf(openDurableStore(folder))).to.match(
        / is damaged \(.*\)\. To begin anew, .*--fresh/,
      );
      expect(await sentenceOf(openDurableStore(folder, { fresh: true }))).to.equal(undefined);
      expect(await withStore(folder, (store) => store.list('a', 1))).to.deep.equal([]);
    }));

  it('[anomaly 55] says in one sentence that a table of it is damaged', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, (store) => store.commit([create('a/1', {})]));
      // What is in the log becomes a table.
      const database = new ClassicLevel(folder);
      await database.open();
      await database.compactRange('', '~');
      await database.close();
      const tables = (await readdir(folder)).filter((name) => name.endsWith('.ldb'));
      expect(tables.length).to.be.above(0);
      for (const table of tables) await writeFile(join(folder, table), 'x'.repeat(200));
      expect(await sentenceOf(openDurableStore(folder))).to.match(
        / is damaged \(.*\)\. To begin anew, .*--fresh/,
      );
      expect(await sentenceOf(openDurableStore(folder, { fresh: true }))).to.equal(undefined);
    }));

  it('[anomaly 55] says in one sentence that a file of it is missing', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, (store) => store.commit([create('a/1', {})]));
      await rm(join(folder, 'CURRENT'));
      expect(await sentenceOf(openDurableStore(folder))).to.match(/ is damaged \(.*CURRENT.*\)\. .*--fresh/);
      expect(await sentenceOf(openDurableStore(folder, { fresh: true }))).to.equal(undefined);
    }));

  it('begins where its first start was killed before there was anything', () =>
    inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, 'MANIFEST-000001'), '');
      expect(await withStore(folder, (store) => store.list('a', 1))).to.deep.equal([]);
    }));

  it('[anomaly 55] says once how much of its log is lost, and then goes on with the rest', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, async (store) => {
        for (let n = 0; n < 100; n++) await store.commit([create(`a/${n}`, { text: 'x'.repeat(1_000) })]);
      });
      const [log = ''] = (await readdir(folder)).filter((name) => name.endsWith('.log'));
      const file = await open(join(folder, log), 'r+');
      await file.write('XXXXXXXX', 50_000);
      await file.close();
      expect(await sentenceOf(openDurableStore(folder))).to.match(
        / was damaged: \d+ bytes of what was written last .* start again, and run the doctor\. .*--fresh/,
      );
      const left = await withStore(folder, (store) => store.list('a', 100));
      expect(left.length).to.be.within(1, 99);
    }));

  it('begins anew where there is nothing yet', () =>
    inTemporaryFolder(async (folder) => {
      expect(await sentenceOf(openDurableStore(join(folder, 'a', 'b'), { fresh: true }))).to.equal(undefined);
    }));

  it('refuses what another version wrote, and says which', () =>
    inTemporaryFolder(async (folder) => {
      await withStore(folder, (store) => store.commit([create('a/1', {})]));
      const database = new ClassicLevel(folder);
      await database.put('format', 'documents 2');
      await database.close();
      expect(await sentenceOf(openDurableStore(folder))).to.match(
        /was written by another version of this program \(documents 2; this one reads documents 1\)\. .*--fresh/,
      );
      expect(await sentenceOf(openDurableStore(folder, { fresh: true }))).to.equal(undefined);
    }));

  it('refuses the database of another program', () =>
    inTemporaryFolder(async (folder) => {
      const database = new ClassicLevel(folder);
      await database.put('theirs', '1');
      await database.close();
      for (const fresh of [false, true]) {
        expect(await sentenceOf(openDurableStore(folder, { fresh }))).to.equal(
          `${folder} is a database of another program: name a folder of its own for the data`,
        );
      }
      await database.open();
      expect(await database.get('theirs')).to.equal('1');
      await database.close();
    }));

  it('touches no folder with other things in it, not even to begin anew', () =>
    inTemporaryFolder(async (folder) => {
      await mkdir(join(folder, 'letters'));
      for (const fresh of [false, true]) {
        expect(await sentenceOf(openDurableStore(folder, { fresh }))).to.equal(
          `${folder} holds other things, such as letters: name a folder of its own for the data`,
        );
      }
      expect(await readdir(folder)).to.deep.equal(['letters']);
    }));
});
