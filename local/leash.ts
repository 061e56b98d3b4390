import { spawn } from 'node:child_process';

/**
 * Runs a command only as long as the process that started it lives: when standard input ends, it stops the command. So an
 * emulator does not outlive a launcher or a test run that was killed. Libraries don't do this: execa, for one, ends children
 * when their parent exits, but a parent that gets SIGKILL can't do anything.
 * Usage: node leash.js COMMAND [ARGUMENT ...]
 */
const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

const KILL_AFTER_MS = 3_000;
function stop(): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
}

child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.once('exit', (code, signal) => process.exit(signal ? 0 : (code ?? 1)));
process.stdin.once('end', stop);
process.stdin.once('error', stop);
process.stdin.resume();
process.on('SIGTERM', stop);
// Ctrl-C reaches every process of the terminal; the launcher decides in which order things stop.
process.on('SIGINT', () => {});
