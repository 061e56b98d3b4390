import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { isStanding } from '../../saga/ledger/deadline.ts';
import { type Child, programsOfSuite } from '../support/child.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { longTest } from '../support/thorough.ts';

const ORDER = { item: 'widget', quantity: 2, user: 'jack' };

describe('npm start, which keeps its data', () => {
  const run = programsOfSuite();
  const start = (args: readonly string[], folder?: string): Child =>
    run('local/start.js', args, { PORT: '0', ...(folder && { DATA_DIR: folder }) });

  const urlOf = async (child: Child) =>
    /http:\/\/127\.0\.0\.1:\d+/.exec(await child.line(/The pipeline runs on/))?.[0] ?? '';
  /** The process of each engine that was up so far. */
  const pidsIn = (child: Child) =>
    [...child.output().matchAll(/listens on .* pid=(\d+)/g)].map(([, pid]) => Number(pid));
  const order = async (url: string): Promise<string> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/order`, { method: 'POST', headers, body: JSON.stringify(ORDER) });
    expect(response.status).to.equal(202);
    return ((await response.json()) as { uuid: string }).uuid;
  };
  const get = async (url: string) => {
    const response = await fetch(url);
    return { code: response.status, body: (await response.json()) as { status?: string; quantity?: number } };
  };
  /** Kills the engine, and waits until the next one is up. */
  async function killEngine(child: Child): Promise<string> {
    const [pid = Number.NaN] = pidsIn(child).slice(-1);
    process.kill(pid, 'SIGKILL');
    const line = await child.line(/ended \(SIGKILL\)/);
    await child.line(new RegExp(`listens on .* pid=(?!${pid}\\b)\\d+`));
    return line;
  }

  it('comes back by itself on the same port when its engine is killed, with all that it has accepted', () =>
    inTemporaryFolder(async (folder) => {
      const child = start([], folder);
      const url = await urlOf(child);
      const uuid = await order(url);
      expect(await killEngine(child)).to.match(/starts again with what it has kept$/);
      let view = await get(`${url}/order/${uuid}`);
      // Until it waits for its courier.
      while (isStanding(pipeline, { status: view.body.status ?? '' }) && view.body.status !== 'DELIVERING') {
        view = await get(`${url}/order/${uuid}`);
      }
      expect(view).to.deep.include({ code: 200 });
      expect(view.body.status).to.equal('DELIVERING');
      expect((await get(`${url}/inventory/widget`)).body.quantity).to.equal(9_998);
    }));

  longTest('keeps nothing with --memory, and says so when it comes back empty', async () => {
    const child = start(['--memory']);
    const url = await urlOf(child);
    const uuid = await order(url);
    expect(await killEngine(child)).to.match(/starts again, empty: it keeps nothing$/);
    expect((await get(`${url}/order/${uuid}`)).code).to.equal(404);
  });

  longTest(
    '[anomalies 44, 57] has its data after it was stopped and started, and no erased customer; --fresh begins anew, but only once',
    () =>
      inTemporaryFolder(async (folder) => {
        const first = start([], folder);
        const uuid = await order(await urlOf(first));
        // They are all of the file that is loaded at first.
        for (const user of ['jill', 'joe'])
          expect((await fetch(`${await urlOf(first)}/users/${user}`, { method: 'DELETE' })).status).to.equal(
            200,
          );
        first.process.kill('SIGTERM');
        expect(await first.exited).to.equal(0);

        const second = start([], folder);
        expect((await get(`${await urlOf(second)}/order/${uuid}`)).code).to.equal(200);
        expect((await get(`${await urlOf(second)}/users/jill`)).code).to.equal(404);
        second.process.kill('SIGTERM');
        await second.exited;

        const third = start(['--fresh'], folder);
        const url = await urlOf(third);
        expect((await get(`${url}/order/${uuid}`)).code).to.equal(404);
        const later = await order(url);
        await killEngine(third);
        expect((await get(`${url}/order/${later}`)).code).to.equal(200);
      }),
  );

  longTest('ends its engine when it is killed itself, so that the next start finds the folder free', () =>
    inTemporaryFolder(async (folder) => {
      const child = start([], folder);
      await urlOf(child);
      child.process.kill('SIGKILL');
      // Its output ends when the last process that holds it is gone.
      await child.exited;
      await urlOf(start([], folder));
    }),
  );

  longTest('[anomaly 55] says in one sentence that another one has the folder, and ends', () =>
    inTemporaryFolder(async (folder) => {
      await urlOf(start([], folder));
      const child = start([], folder);
      expect(await child.exited).to.equal(1);
      expect(child.output()).to.equal(
        `${folder}/engine is in use by another process: stop that, or start with --memory`,
      );
    }),
  );

  for (const args of [[], ['--memory']]) {
    longTest(
      `[anomaly 55] says where its folder can not be made, and ends: ${args.join() || 'no options'}`,
      async () => {
        for (const folder of ['/proc/x', '/dev/null']) {
          const child = start(args, folder);
          expect(await child.exited).to.equal(1);
          // Before anything listens.
          expect(child.output()).to.match(new RegExp(`^${folder} can't be used for data: [^\\n]+$`));
        }
      },
    );
  }

  for (const [args, fault] of [
    [['--nonsense'], "'--nonsense'"],
    [['folder'], "'folder'"],
    [['--memory', '--fresh'], '--memory keeps nothing: leave --fresh out'],
  ] as const) {
    longTest(`says what is wrong with "${args.join(' ')}", and how to call it`, async () => {
      const child = start(args);
      expect(await child.exited).to.equal(2);
      expect(child.output()).to.contain(fault).and.to.contain('\nUsage: npm start');
    });
  }

  longTest('says how to call it if it is asked', async () => {
    const child = start(['--help']);
    expect(await child.exited).to.equal(0);
    expect(child.output()).to.match(/^Usage: npm start/);
  });
});
