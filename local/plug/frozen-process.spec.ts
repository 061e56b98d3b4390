import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';
import { until } from '../until.ts';
import { freezeProcess } from './frozen-process.ts';

const LIMIT_MS = 60_000;
const MODULE = fileURLToPath(new URL('dist/local/plug/frozen-process.js', packageRoot));
/** Freezes the process that it is told, and then does nothing. */
const LAUNCHER = `
  const { freezeProcess } = await import(process.argv[1]);
  freezeProcess(Number(process.argv[2]));
  setInterval(() => {}, 1_000_000);
`;

describe('A process that is frozen', function () {
  this.timeout(LIMIT_MS);
  let echo: ChildProcess;
  let pid: number;
  let launcher: ChildProcess | undefined;
  beforeEach(async () => {
    echo = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
    pid = echo.pid ?? 0;
    expect(await answer('up')).to.equal('up');
  });
  afterEach(() => {
    launcher?.kill('SIGKILL');
    launcher = undefined;
    echo.kill('SIGKILL');
  });

  async function answer(word?: string): Promise<string> {
    const answered = once(echo.stdout as NodeJS.ReadableStream, 'data');
    if (word !== undefined) echo.stdin?.write(word);
    return String(await answered);
  }
  const isStopped = () =>
    execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })[0] === 'T';
  const stops = () => until('it is stopped', LIMIT_MS, isStopped);

  it('does nothing until it is told to go on', async () => {
    const goOn = freezeProcess(pid);
    await stops();
    const answered = answer('later');
    expect(isStopped()).to.equal(true);
    goOn();
    expect(await answered).to.equal('later');
  });

  for (const [what, signal, isForAll] of [
    ['gets SIGKILL', 'SIGKILL', false],
    ['is ended by Ctrl-C, as all of its terminal are', 'SIGINT', true],
  ] as const) {
    it(`goes on when its launcher ${what}, and can tell it nothing any more`, async () => {
      launcher = spawn(process.execPath, ['--input-type=module', '-e', LAUNCHER, MODULE, String(pid)], {
        stdio: 'ignore',
        // A terminal's group.
        detached: true,
      });
      await stops();
      const answered = answer('later');
      expect(isStopped()).to.equal(true);
      process.kill((isForAll ? -1 : 1) * (launcher.pid ?? Number.NaN), signal);
      expect(await answered).to.equal('later');
    });
  }
});
