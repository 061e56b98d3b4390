import { type ParseArgsConfig, parseArgs } from 'node:util';
import { withoutSecrets } from '../adapters/http/without-secrets.ts';

/** What all programs have in common that a person starts and waits for. */

/** A command line that can't be understood. Its exit code is 2, whatever that of a failure is. */
export class UsageError extends Error {}
const EXIT_USAGE = 2;

/** An option that is there or not. */
export const flag = { type: 'boolean', default: false } as const;

/** Whether a person only wants to know how a program is used. */
export const asksForHelp = (args: readonly string[] = process.argv.slice(2)): boolean =>
  args.includes('--help') || args.includes('-h');

/** @throws UsageError if there are arguments that the program does not take. */
export function readArguments<const Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs<Config>({ args: process.argv.slice(2), ...config });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * Runs a command, and ends the process with its exit code.
 * @param usage is shown if the command line is wrong.
 * @param command throws an Error that says in a sentence why it could not do its work.
 * @param exitCodeOfFailure the exit code if it throws.
 */
export function runCommand(usage: string, command: () => Promise<number>, exitCodeOfFailure = 1): void {
  const giveUp = (error: unknown): never => {
    const said = error instanceof Error ? error.message : String(error);
    // A new terminal has forgotten where the emulators are.
    const message = /default credentials/.test(said) ? `${said} ${CREDENTIALS}` : said;
    const isUsage = error instanceof UsageError;
    const lines = [...message.split('\n'), ...(isUsage ? ['', ...`Usage: ${usage}`.split('\n')] : [])];
    process.stderr.write(withoutSecrets(linesOf(lines)));
    process.exit(isUsage ? EXIT_USAGE : exitCodeOfFailure);
  };
  if (asksForHelp()) {
    print(...`Usage: ${usage}`.split('\n'));
    process.exit(0);
  }
  // Without credentials, the clients throw where it can't be caught.
  process.on('uncaughtException', giveUp);
  // They also go on for a while with calls that nothing waits for any more, such as to a store that is away.
  command().then((code) => process.exit(code), giveUp);
}

const CREDENTIALS =
  'For the emulators, set PUBSUB_EMULATOR_HOST and FIRESTORE_EMULATOR_HOST; for Google, run gcloud auth application-default login.';

/** Prints lines to the standard output. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(linesOf(lines));
}

/** Texts may come from anybody, so this makes visible what would steer a terminal or begin a new line. */
const linesOf = (lines: readonly string[]): string =>
  lines
    .map((line) =>
      line.replaceAll(
        /\p{Cc}/gu,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    )
    .join('\n')
    .concat('\n');
