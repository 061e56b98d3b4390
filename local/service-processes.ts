import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { readableLines } from '../adapters/log.ts';

/** Services, each its own process. */
export interface ServiceProcesses {
  /** The port on which a service listens now; undefined while it is starting. */
  portOf(service: string): number | undefined;
  pidOf(service: string): number | undefined;
  /** Tells all to finish; resolves when they are gone. */
  stop(): Promise<void>;
}

/** A service that keeps dying at its start must not keep the machine busy. */
const RESTART_PAUSE_MS = 500;
/** A little more than a service takes to hand back what it holds. */
const KILL_AFTER_MS = 12_000;

/**
 * Starts each service as its own process on a port of its own, prints readable log lines, and restarts what dies.
 * @param environment of the services, besides PORT.
 * @param print gets one line of the log.
 * @param onBack is told of a service that has died, once it listens again.
 */
export function startServiceProcesses(
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  onBack: (service: string) => void = () => {},
): ServiceProcesses {
  const running = new Map<string, { readonly pid: number | undefined; port?: number | undefined }>();
  const readable = readableLines(names);
  const stopping = new AbortController();
  const { signal: cancelSignal } = stopping;

  async function keepRunning(name: string): Promise<void> {
    let hasDied = false;
    while (!cancelSignal.aborted) {
      const child = execaNode(fileURLToPath(new URL('../programs/service.js', import.meta.url)), [name], {
        env: { ...environment, PORT: '0' },
        extendEnv: false,
        stdin: 'ignore',
        all: true,
        buffer: false,
        reject: false,
        // A group of its own, so that Ctrl-C reaches the launcher alone. If the launcher is killed, its channel to the service
        // closes, and the service ends (`runProcess`).
        detached: true,
        cancelSignal,
        forceKillAfterDelay: KILL_AFTER_MS,
      });
      const { pid } = child;
      running.set(name, { pid });
      child.on('message', ({ port }: { port?: number }) => {
        running.set(name, { pid, port });
        if (hasDied) onBack(name);
      });
      for await (const line of child.iterable({ from: 'all' })) print(readable(name, line));
      const { signal, exitCode } = await child;
      running.delete(name);
      hasDied = true;
      if (cancelSignal.aborted) return;
      const message = `ended (${signal ?? `exit code ${exitCode}`}), starts again`;
      print(readable(name, { severity: 'WARNING', message }));
      await pause(RESTART_PAUSE_MS);
    }
  }

  const kept = names.map(keepRunning);
  return {
    portOf: (service) => running.get(service)?.port,
    pidOf: (service) => running.get(service)?.pid,
    async stop() {
      stopping.abort();
      await Promise.all(kept);
    },
  };
}
