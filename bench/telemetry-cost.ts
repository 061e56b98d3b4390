import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

/**
 * What tracing every order costs: the throughput bench with telemetry off and on in alternation, so that both meet the same
 * machine, and the median of the ratios of neighbours. The collector takes everything and keeps nothing. How much a run
 * varies by itself, neighbours with telemetry off tell: `--telemetry off`.
 */
const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    orders: { type: 'string', default: '20000' },
    warmup: { type: 'string', default: '10000' },
    telemetry: { type: 'string', default: 'otlp' },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const run = promisify(execFile);

const collector = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.end());
});
await new Promise<void>((resolve) => {
  collector.listen(0, '127.0.0.1', resolve);
});
const { port } = collector.address() as { port: number };

const ratios: number[] = [];
for (let pair = 0; pair < Number(values.pairs); pair++) {
  const off = await ordersPerSecond('off');
  const on = await ordersPerSecond(values.telemetry);
  ratios.push(on / off);
  print(`off ${off}, ${values.telemetry} ${on} orders/s: ${percent(on / off)}`);
}
const sorted = ratios.toSorted((one, other) => one - other);
print(`median: ${percent(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)}`);
collector.close();

async function ordersPerSecond(telemetry: string): Promise<number> {
  const { stdout } = await run(
    process.execPath,
    [
      '--max-semi-space-size=128',
      '--min-semi-space-size=128',
      fileURLToPath(new URL('throughput.js', import.meta.url)),
      ...['--orders', values.orders, '--warmup', values.warmup, '--telemetry', telemetry],
    ],
    { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } },
  );
  return Number(/paid: (\d+) orders/.exec(stdout)?.[1]);
}

function percent(ratio: number): string {
  const change = 100 * (ratio - 1);
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}
