import { spawn } from 'node:child_process';

/** Goes on, with SIGCONT, when its input ends: when it is told to, or when the program that started it is gone. */
const CONTINUE = 'cat > /dev/null; kill -CONT "$0"';

/**
 * Stops a process with SIGSTOP. A stopped process hears neither SIGTERM nor that its parent is gone, so that a launcher which gets
 * SIGKILL would leave it behind for ever; a shell waits for that.
 * @returns the function that lets it go on.
 */
export function freezeProcess(pid: number): () => void {
  const guard = spawn('sh', ['-c', CONTINUE, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own, so that Ctrl-C does not end it before the process goes on.
    detached: true,
  });
  process.kill(pid, 'SIGSTOP');
  return () => void guard.stdin.end();
}
