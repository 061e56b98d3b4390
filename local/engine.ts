import { createReadableLog } from '../adapters/log.ts';
import { pipeline } from '../pipeline.ts';
import { loadDotenv } from '../programs/config.ts';
import { makeDataFolder, noteStack } from '../programs/local-stack.ts';
import { runProcess } from '../programs/run-process.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { shopData } from './shop.ts';
import { startLocally } from './start-locally.ts';
import { startOptions } from './start-options.ts';

/** The whole pipeline in one process on the embedded engine. `npm start` starts it, and starts it again when it dies. */

const print = (line: string) => process.stdout.write(`${line}\n`);

loadDotenv();
await runProcess(async (end) => {
  const folder = startOptions(process.argv.slice(2));
  makeDataFolder();
  const local = await startLocally(pipeline, shopData(), {
    onEmulators: false,
    end,
    variables: {},
    crash: () => process.kill(process.pid, 'SIGKILL'),
    openLog: ({ logLevel }) => createReadableLog(logLevel, 'pipeline', serviceNames(pipeline), print),
    ...(folder && { folder }),
  });
  const removeNote = noteStack({ url: local.url, backend: 'memory', variables: {} });
  process.send?.({ url: local.url });
  return {
    close() {
      removeNote();
      return local.close();
    },
  };
});
