import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** A program that is started again whenever it dies after it was up. */
export interface Supervised {
  /** Where it answers. */
  readonly url: string;
  /** Tells it to finish; resolves when it is gone. */
  close(): Promise<void>;
}

/** The program has ended before it was up, and has said why. */
export class NotUp extends Error {
  override readonly name = 'NotUp';
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('The program ended before it was up');
    this.exitCode = exitCode;
  }
}

const RESTART_PAUSE_MS = 100;
/** A little more than a service takes to hand back what it holds. */
const KILL_AFTER_MS = 12_000;

/**
 * Runs a program of ours, which tells its URL by a message once it is up, and starts it again on the same port when it dies.
 * It is a child that ends when this process does, however that ends (`runProcess`).
 * @param argsOf the arguments of its first start, and of those after it.
 * @param onDeath is told how it died, as words, before it is started again.
 * @param onEnd is told that it could not start again, and has said why.
 * @throws NotUp if it ends by itself before it is up for the first time. A signal only starts it again.
 */
export async function supervise(
  program: string,
  argsOf: (isFirst: boolean) => readonly string[],
  onDeath: (how: string) => void,
  onEnd: (error: NotUp) => void,
): Promise<Supervised> {
  let child: ChildProcess;
  let ended: Promise<unknown>;
  let isClosing = false;
  let url: string | undefined;

  function start(): void {
    const port = url === undefined ? {} : { PORT: new URL(url).port };
    child = fork(program, argsOf(child === undefined), {
      env: { ...process.env, ...port },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A group of its own, so that Ctrl-C reaches this process alone.
      detached: true,
    });
    ended = once(child, 'exit');
  }

  /** Resolves when it is up; how it ended instead, if it did. */
  async function isUp(): Promise<number | string | undefined> {
    const up = once(child, 'message').then(([message]) => {
      url = (message as { url: string }).url;
      return undefined;
    });
    return Promise.race([up, how()]);
  }

  const how = async (): Promise<number | string> => {
    const [code, signal] = (await ended) as [number | null, string | null];
    return signal ?? code ?? 1;
  };

  /** Starts it until it is up. */
  async function bringUp(): Promise<void> {
    while (!isClosing) {
      start();
      const end = await isUp();
      if (end === undefined || isClosing) return;
      if (typeof end === 'number') throw new NotUp(end);
      onDeath(end);
      await pause(RESTART_PAUSE_MS);
    }
  }

  async function keepUp(): Promise<void> {
    while (!isClosing) {
      const end = await how();
      if (isClosing) return;
      onDeath(typeof end === 'number' ? `exit code ${end}` : end);
      await pause(RESTART_PAUSE_MS);
      await bringUp();
    }
  }

  await bringUp();
  const kept = keepUp().catch(onEnd);
  return {
    url: url ?? '',
    async close() {
      isClosing = true;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      await ended;
      clearTimeout(kill);
      await kept;
    },
  };
}
