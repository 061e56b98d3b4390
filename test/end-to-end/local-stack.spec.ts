import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Child, runProgram } from '../support/child.ts';
import { longSuite } from '../support/thorough.ts';

const CLEAN = 'Nothing is wrong, and no order is stuck.';

longSuite('A local stack that runs', function () {
  // Each command is a process of its own.
  this.timeout(60_000);
  let stack: Child;
  let folder: string;
  let url: string;
  const note = () => join(folder, 'stack.json');

  async function run(
    program: string,
    args: readonly string[] = [],
    environment: Record<string, string> = {},
  ) {
    const child = runProgram(program, args, { DATA_DIR: folder, ...environment });
    return { code: await child.exited, lines: child.answer().split('\n'), output: child.output() };
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'order-saga-'));
    stack = runProgram('local/start.js', [], { PORT: '0', LOG_LEVEL: 'error', DATA_DIR: folder });
    url = /http:\S+(?=,)/.exec(await stack.line(/The pipeline runs on/))?.[0] ?? '';
    await stack.line(/find this stack/);
  });
  afterEach(async () => {
    // The engine would write on for a moment if its launcher were killed.
    stack.process.kill('SIGTERM');
    await stack.exited;
    rmSync(folder, { recursive: true });
  });

  it('says how to order and how to look at the order, in commands that can be typed as they stand', async () => {
    const commands = /^ {2}ORDER=[\s\S]*\$ORDER$/m.exec(stack.output())?.[0] ?? '';
    const { stdout } = await promisify(execFile)('sh', ['-c', `${commands}\necho; echo $ORDER`]);
    const [order = '', uuid] = stdout.trim().split('\n');
    expect(JSON.parse(order)).to.include({ uuid, user: 'jack', item: 'widget', quantity: 2 });
    expect(stack.output()).to.contain(`Open ${url}/ in a browser`);
    const shown = await run('programs/operate.js', ['show', uuid ?? '']);
    expect([shown.code, shown.lines[0]?.slice(0, 42)]).to.deep.equal([0, `Order ${uuid}`]);
  });

  it('is found by the doctor, in the same words and with the same exit codes as a database', async () => {
    for (const args of [[], ['--repair']]) {
      const { code, lines } = await run('programs/doctor.js', args);
      expect([code, lines.at(-1)]).to.deep.equal([0, CLEAN]);
      expect(lines[0]).to.match(/^Audited \S+Z: 0 orders \(none\), /);
    }
    const { lines } = await run('programs/doctor.js', ['--json']);
    expect(Object.keys(JSON.parse(lines.join('\n')))).to.deep.equal(['report', 'repaired', 'plan']);
  });

  it('is not looked for where a project or a URL is named', async () => {
    const doctor = await run('programs/doctor.js', [], { PROJECT_ID: 'UPPERCASE' });
    expect([doctor.code, /PROJECT_ID must be/.test(doctor.output)]).to.deep.equal([2, true]);
    const saga = await run('programs/operate.js', ['letters', '--url', 'http://127.0.0.1:1']);
    expect([saga.code, saga.output]).to.satisfy(
      ([code, said]: [number, string]) =>
        code === 1 && said.startsWith('Nothing answers at http://127.0.0.1:1:'),
    );
  });

  it('takes its note away when it ends', async () => {
    const { pid, ...others } = JSON.parse(readFileSync(note(), 'utf8'));
    expect(others).to.deep.equal({ url, backend: 'memory', variables: {} });
    expect(process.kill(pid, 0)).to.equal(true);
    stack.process.kill('SIGTERM');
    await stack.exited;
    expect(existsSync(note())).to.equal(false);
  });

  it('is not believed to run once it was killed, and the doctor says what to do', async () => {
    // The engine and, before it can start that again, the launcher.
    process.kill(JSON.parse(readFileSync(note(), 'utf8')).pid, 'SIGKILL');
    stack.process.kill('SIGKILL');
    await stack.exited;
    expect(existsSync(note())).to.equal(true);
    const { code, output } = await run('programs/doctor.js');
    expect([code, output]).to.deep.equal([
      2,
      'There is nothing to look at: no local stack runs (npm start or npm run start:emulators starts one), and PROJECT_ID names no project',
    ]);
  });

  it('is not taken for another program that has its number, and answers nothing of ours', async () => {
    writeFileSync(
      note(),
      JSON.stringify({ url: 'http://127.0.0.1:1', pid: process.pid, backend: 'memory', variables: {} }),
    );
    expect((await run('programs/doctor.js')).output).to.match(/^There is nothing to look at/);
    writeFileSync(note(), '{"url":');
    expect((await run('programs/doctor.js')).output).to.match(/^There is nothing to look at/);
  });
});
