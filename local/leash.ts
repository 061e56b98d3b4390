import { spawn } from 'node:child_process';

/**
 * Runs a command for as long as whoever started it lives: when its standard input ends, the command is stopped. So
 * an emulator does not outlive a launcher or a test run that was killed. No library does this: execa, for one,
 * ends children when their parent exits, and a parent that is killed by SIGKILL gets to do nothing.
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
// Ctrl-C reaches the whole terminal; the order in which things stop is the launcher's to decide.
process.on('SIGINT', () => {});
