import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

/**
 * What it costs that the embedded engine keeps its data: the throughput bench in memory and on disk in alternation, so that both meet
 * the same machine, and the ratio of each pair.
 */
const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '3' },
    orders: { type: 'string', default: '10000' },
    warmup: { type: 'string', default: '5000' },
  },
});
const run = promisify(execFile);

for (let pair = 0; pair < Number(values.pairs); pair++) {
  const memory = await ordersPerSecond('memory');
  const durable = await ordersPerSecond('durable');
  process.stdout.write(
    `memory ${memory}, durable ${durable} orders/s: ${Math.round((100 * durable) / memory)} %\n`,
  );
}

async function ordersPerSecond(backend: string): Promise<number> {
  const { stdout } = await run(process.execPath, [
    '--max-semi-space-size=128',
    '--min-semi-space-size=128',
    fileURLToPath(new URL('throughput.js', import.meta.url)),
    ...['--orders', values.orders, '--warmup', values.warmup, '--backend', backend],
  ]);
  const [, figure] = /under way: (\d+) orders/.exec(stdout) ?? [];
  if (figure === undefined) throw new Error(`The bench gave no figure:\n${stdout}`);
  return Number(figure);
}
