import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

/**
 * Throws what nobody expects at every endpoint and every topic.
 *
 *     npm run fuzz -- --inputs 1000000             from a fresh seed, which it prints
 *     npm run fuzz -- --inputs 1 --seed 7          the worlds of seed 7 again, such as after a failure
 */

const { values } = parseArgs({ options: { inputs: { type: 'string' }, seed: { type: 'string' } } });
const inputs = wholeNumber('--inputs', values.inputs ?? '20000');
const seed = wholeNumber('--seed', values.seed ?? String(Date.now() % 1_000_000_000));
const startMs = performance.now();
const seconds = () => ((performance.now() - startMs) / 1000).toFixed(0);
const PROGRESS_EVERY = 50_000;
let told = 0;
print(`Seed ${seed}`);
const { inputCount, failure } = await fuzz(inputs, seed, (count) => {
  if (count - told < PROGRESS_EVERY) return;
  told = count;
  print(`${count} inputs in ${seconds()} s`);
});
if (failure === undefined) print(`${inputCount} inputs from seed ${seed} in ${seconds()} s: nothing failed`);
else {
  print('', failure.story, '', `See it again: npm run fuzz -- --inputs 1 --seed ${failure.seed}`);
  process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not ${text}`);
  return Number(text);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
