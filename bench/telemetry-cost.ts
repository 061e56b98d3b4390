import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

/**
 * What telemetry costs: the throughput bench with telemetry off and on in alternation, so that both meet the same machine, and
 * the median of the ratios of neighbours. With `--traced all` every order is traced, and not as many as by default. The
 * collector takes everything and keeps nothing. How much a run varies by itself, neighbours with telemetry off tell:
 * `--telemetry off`.
 */
const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    orders: { type: 'string', default: '20000' },
    warmup: { type: 'string', default: '10000' },
    telemetry: { type: 'string', default: 'otlp' },
    traced: { type: 'string', default: 'some' },
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
  // Whoever runs second meets another hour of the machine.
  const isOffFirst = pair % 2 === 0;
  const kinds = ['off', values.telemetry];
  const figures: number[] = [];
  for (const kind of isOffFirst ? kinds : kinds.toReversed()) figures.push(await ordersPerSecond(kind));
  const [off, on] = (isOffFirst ? figures : figures.toReversed()) as [number, number];
  ratios.push(on / off);
  print(`off ${off}, ${values.telemetry} ${on} orders/s: ${percent(on / off)}`);
}
print(`median: ${percent(medianOf(ratios))}`);
collector.close();

async function ordersPerSecond(telemetry: string): Promise<number> {
  const { stdout } = await run(
    process.execPath,
    [
      '--max-semi-space-size=128',
      '--min-semi-space-size=128',
      fileURLToPath(new URL('throughput.js', import.meta.url)),
      ...['--orders', values.orders, '--warmup', values.warmup, '--telemetry', telemetry],
      ...['--traced', values.traced],
    ],
    { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } },
  );
  const [, figure] = /under way: (\d+) orders/.exec(stdout) ?? [];
  if (figure === undefined) throw new Error(`The bench gave no figure:\n${stdout}`);
  return Number(figure);
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [lower, upper] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((lower ?? Number.NaN) + (upper ?? Number.NaN)) / 2;
}

function percent(ratio: number): string {
  const change = 100 * (ratio - 1);
  return `${change > 0 ? '+' : ''}${change.toFixed(1)} %`;
}
