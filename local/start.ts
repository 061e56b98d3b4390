import { createReadableLog } from '../adapters/log.ts';
import { pipeline } from '../pipeline.ts';
import { loadDotenv } from '../programs/config.ts';
import { noteStack } from '../programs/local-stack.ts';
import { runProcess } from '../programs/run-process.ts';
import { serviceNames } from '../saga/deliver/service.ts';
import { greeting, shopData } from './shop.ts';
import { startLocally } from './start-locally.ts';

/** The whole pipeline in one process on the embedded engine. It needs nothing but Node, and keeps nothing. */

const print = (line: string) => process.stdout.write(`${line}\n`);

loadDotenv();
await runProcess(async (end) => {
  const local = await startLocally(pipeline, shopData(), {
    onEmulators: false,
    end,
    variables: {},
    crash: () => process.kill(process.pid, 'SIGKILL'),
    openLog: ({ logLevel }) => createReadableLog(logLevel, 'pipeline', serviceNames(pipeline), print),
  });
  const removeNote = noteStack({ url: local.url, backend: 'memory', variables: {} });
  print(greeting(local.url, 'the embedded engine: what it holds is gone when it stops.'));
  return {
    close() {
      removeNote();
      return local.close();
    },
  };
});
