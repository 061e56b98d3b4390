import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readableLine } from '../adapters/log.ts';

/** Services, each its own process. */
export interface ServiceProcesses {
  /** Where a service listens now; undefined while it is being started. */
  portOf(service: string): number | undefined;
  pidOf(service: string): number | undefined;
  /** Resolves once every service has listened. */
  readonly started: Promise<void>;
  /** Tells all to finish; resolves when they are gone. */
  stop(): Promise<void>;
}

/** A service that dies at once, again and again, must not keep the machine busy. */
const RESTART_PAUSE_MS = 500;
/** A little more than a service takes to hand back what it holds. */
const KILL_AFTER_MS = 12_000;

/**
 * Starts each service as its own process on a port of its own, prints their logs in readable lines, and starts again
 * what dies.
 * @param environment of the services, besides PORT.
 * @param print takes one line of the log.
 */
export function startServiceProcesses(
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): ServiceProcesses {
  const running = new Map<string, { child: ChildProcess; port?: number }>();
  const awaited = new Set(names);
  let allListen = () => {};
  const started = new Promise<void>((resolve) => {
    allListen = resolve;
  });
  let stopping = false;

  function start(name: string): void {
    const main = fileURLToPath(new URL(`../${name}/main.js`, import.meta.url));
    const child = fork(main, {
      env: { ...environment, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    const entry: { child: ChildProcess; port?: number } = { child };
    running.set(name, entry);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => print(readable(name, line)));
    }
    child.on('message', (message: { port?: number }) => {
      if (message.port === undefined) return;
      entry.port = message.port;
      awaited.delete(name);
      if (awaited.size === 0) allListen();
    });
    child.once('exit', (code, signal) => {
      if (stopping) return;
      running.delete(name);
      print(
        readableLine(name, {
          severity: 'WARNING',
          message: `ended (${signal ?? `exit code ${code}`}), starts again`,
        }),
      );
      setTimeout(() => !stopping && start(name), RESTART_PAUSE_MS);
    });
  }

  names.forEach(start);
  return {
    portOf: (service) => running.get(service)?.port,
    pidOf: (service) => running.get(service)?.child.pid,
    started,
    async stop() {
      stopping = true;
      await Promise.all([...running.values()].map(({ child }) => end(child)));
    },
  };
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** A service logs JSON; what is none (a stack trace) is shown as it is. */
function readable(service: string, line: string): string {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null)
      return readableLine(service, entry as Record<string, unknown>);
  } catch {
    // Not JSON: shown below.
  }
  return `${service.padEnd(9)} ${line}`;
}
