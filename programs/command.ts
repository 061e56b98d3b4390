import { withoutSecrets } from '../adapters/http/without-secrets.ts';

/**
 * Runs a command that a person has started and waits for, and ends the process with its exit code.
 * @param command throws an Error that says in a sentence why it could not do its work.
 * @param exitCodeOfFailure the exit code if it throws.
 */
export function runCommand(command: () => Promise<number>, exitCodeOfFailure: number): void {
  const giveUp = (error: unknown): never => {
    process.stderr.write(`${withoutSecrets(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(exitCodeOfFailure);
  };
  // Without credentials, the clients throw where it can't be caught.
  process.on('uncaughtException', giveUp);
  // They also go on for a while with calls that nothing waits for any more, such as to a store that is away.
  command().then((code) => process.exit(code), giveUp);
}
