import type { Ports } from '../saga/ports.ts';
import { withoutSecrets } from './without-secrets.ts';

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

/**
 * To be asked first: a store that is away is otherwise noticed after many repetitions.
 * @throws Error that says where the store was looked for.
 */
export async function assertStoreAnswers({ store }: Pick<Ports, 'store'>): Promise<void> {
  try {
    await store.read(['sagas/readiness']);
  } catch (error) {
    const emulator = process.env.FIRESTORE_EMULATOR_HOST;
    const settings = emulator ? `FIRESTORE_EMULATOR_HOST (${emulator})` : 'PROJECT_ID and FIRESTORE_DATABASE';
    throw new Error(`${(error as Error).message}: is it running, and is what ${settings} says right?`);
  }
}
