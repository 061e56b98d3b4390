import { accessSync, constants, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { makeFolder } from '../adapters/memory/make-folder.ts';
import { packageRoot } from './config.ts';

/** While a local stack runs, it leaves a note where it is, by which other programs find it. The one that started last counts. */

const stackSchema = z.object({
  /** Where it answers. */
  url: z.url(),
  pid: z.int(),
  backend: z.enum(['memory', 'gcp']),
  /** What leads to its store and its broker; empty for the embedded engine, which only its process reaches. */
  variables: z.partialRecord(
    z.enum(['PROJECT_ID', 'PUBSUB_EMULATOR_HOST', 'FIRESTORE_EMULATOR_HOST']),
    z.string(),
  ),
});
export type LocalStack = z.infer<typeof stackSchema>;

const ANSWER_TIMEOUT_MS = 2_000;

/** The folder of what local stacks leave on this machine. */
export const dataFolder = (): string =>
  resolve(process.env.DATA_DIR || join(fileURLToPath(packageRoot), '.data'));

/**
 * Makes that folder. Call it before anything is started.
 * @throws Error that says in one sentence why it can't be used.
 */
export function makeDataFolder(): void {
  try {
    makeFolder(dataFolder());
    accessSync(dataFolder(), constants.W_OK);
  } catch (cause) {
    throw new Error(`${dataFolder()} can't be used for data: ${(cause as Error).message}`, { cause });
  }
}

const notePath = (): string => `${dataFolder()}/stack.json`;

/**
 * Leaves the note in the folder, which is there. Call it once everything listens.
 * @returns takes the note away again, unless another stack has left its own meanwhile.
 */
export function noteStack(stack: Omit<LocalStack, 'pid'>): () => void {
  const { pid } = process;
  // Whoever reads it sees all of it or none.
  const draft = `${notePath()}.${pid}`;
  // An address that means "all of mine" is none to ask at.
  const url = stack.url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  writeFileSync(draft, `${JSON.stringify({ ...stack, url, pid }, undefined, 2)}\n`);
  renameSync(draft, notePath());
  return () => {
    if (readNote()?.pid === pid) rmSync(notePath(), { force: true });
  };
}

/** The local stack that runs now; undefined if there is none. A note that a killed stack left behind is not believed. */
export async function findStack(): Promise<LocalStack | undefined> {
  const stack = readNote();
  return stack && isAlive(stack.pid) && (await answers(stack.url)) ? stack : undefined;
}

function readNote(): LocalStack | undefined {
  try {
    return stackSchema.parse(JSON.parse(readFileSync(notePath(), 'utf8')));
  } catch {
    // There is none, or something else is in its place.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Another program may have got the port. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return z.object({ status: z.literal('alive') }).safeParse(await answer.json()).success;
  } catch {
    return false;
  }
}
