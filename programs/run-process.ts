import { withoutSecrets } from '../adapters/http/without-secrets.ts';

/**
 * Starts something, and ends the process in order when it is told to. If the start fails, it ends with one clear message. An
 * unexpected error ends the process at once, because its state can't be trusted; the messages that it held come again.
 * @param start gets the function to call if the process can't go on.
 */
export async function runProcess(
  start: (end: (error: Error) => void) => Promise<{ close(): Promise<void> }>,
) {
  const complain = (text: unknown) => process.stderr.write(`${withoutSecrets(String(text))}\n`);
  const end = (error: unknown) => {
    complain(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
  let running: { close(): Promise<void> } | undefined;
  const finish = (code: number) => {
    // Still starting: nothing was taken yet that would have to be handed back.
    if (running === undefined) process.exit(code);
    running.close().then(() => process.exit(code), end);
  };
  /** A subscription can't go on, or is silent: first finish the work of the others. */
  const giveUp = (error: Error) => {
    complain(error.message);
    finish(1);
  };
  const stop = () => finish(0);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // The process of ours that started this one is gone, so nothing would ever stop it.
  process.once('disconnect', stop);
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(stop);
  try {
    running = await start(giveUp);
  } catch (error) {
    complain(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

const PARENT_CHECK_MS = 500;

/** npm starts us through a shell that passes no signals on. When npm is told to end, we only lose our parent. */
function whenOrphaned(action: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    action();
  }, PARENT_CHECK_MS);
  timer.unref();
}
