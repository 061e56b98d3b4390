import { withoutSecrets } from '../adapters/http/without-secrets.ts';

/**
 * Runs what a person has called and waits for, and ends the process with the exit code that it gives.
 * @param command throws an Error that says in a sentence why it could not do its work.
 * @param exitCodeOfFailure where it throws.
 */
export function runCommand(command: () => Promise<number>, exitCodeOfFailure: number): void {
  const giveUp = (error: unknown): never => {
    process.stderr.write(`${withoutSecrets(error instanceof Error ? error.message : String(error))}\n`);
    process.exit(exitCodeOfFailure);
  };
  // Where there are no credentials, the clients throw where nobody can catch it.
  process.on('uncaughtException', giveUp);
  // They also go on for a while with what nobody waits for any more, such as calls to a store that is away.
  command().then((code) => process.exit(code), giveUp);
}
