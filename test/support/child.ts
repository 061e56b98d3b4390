import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../programs/config.ts';

/** A program of ours, run as its users run it. */
export interface Child {
  readonly process: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** What of it went to the standard output. */
  answer(): string;
  /** Resolves with the first line, past or future, that matches. Rejects when the program ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code; a signal counts as none. */
  readonly exited: Promise<number | null>;
}

/** What these programs leave behind stays apart from the stack of whoever runs the tests. */
const DATA_DIR = join(tmpdir(), `order-saga-${process.pid}`);
process.once('exit', () => rmSync(DATA_DIR, { recursive: true, force: true }));

/**
 * Runs a compiled program.
 * @param script below dist, such as `local/start.js`.
 * @param environment what is set besides PATH and HOME; the variables of this process do not leak in.
 */
export function runProgram(
  script: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Child {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL(`dist/${script}`, packageRoot)), ...args], {
    env: { PATH, HOME, DATA_DIR, ...environment },
    // No `.env` of whoever runs the tests is read.
    cwd: fileURLToPath(new URL('dist/', packageRoot)),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return childOf(child, script);
}

/**
 * A process that was started with pipes for what it prints.
 * @param name what it is called where it ended too early.
 */
export function childOf(child: ChildProcessByStdio<null, Readable, Readable>, name: string): Child {
  const lines: string[] = [];
  const answered: string[] = [];
  const watchers = new Set<() => void>();
  let ended = false;
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true;
      resolve(code);
      for (const watch of watchers) watch();
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (stream === child.stdout) answered.push(line);
      for (const watch of watchers) watch();
    });
  }
  return {
    process: child,
    output: () => lines.join('\n'),
    answer: () => answered.join('\n'),
    exited,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const line = lines.find((candidate) => pattern.test(candidate));
          if (line === undefined && !ended) return;
          watchers.delete(watch);
          if (line !== undefined) resolve(line);
          else reject(new Error(`${name} ended without a line like ${pattern}:\n${lines.join('\n')}`));
        };
        watchers.add(watch);
        watch();
      }),
  };
}

/** Starts programs in a suite, and kills after each test what still runs of them. */
export function programsOfSuite(): typeof runProgram {
  const children = new Set<Child>();
  afterEach(async () => {
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all([...children].map(({ exited }) => exited));
    children.clear();
  });
  return (...asked) => {
    const child = runProgram(...asked);
    children.add(child);
    return child;
  };
}
