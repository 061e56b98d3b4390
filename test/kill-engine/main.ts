import { parseArgs } from 'node:util';
import { killEngine } from './kill-engine.ts';

/**
 * Kills the engine of `npm start` under load, many times. The exit code is 0 where no order is lost and nothing is wrong.
 * Usage: npm run kill-engine -- [--kills N] [--rate ORDERS_PER_SECOND] [--seed S]
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    rate: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  },
});
const [kills = 0, rate = 0, seed = 0] = [values.kills, values.rate, values.seed].map(Number);
const print = (line: string) => process.stdout.write(`${line}\n`);
if (!(Number.isSafeInteger(kills) && kills > 0 && rate > 0 && Number.isSafeInteger(seed))) {
  print('Usage: npm run kill-engine -- [--kills N] [--rate ORDERS_PER_SECOND] [--seed S]');
  process.exit(2);
}
const report = await killEngine({ kills, ordersPerSecond: rate, seed }, print);
const { book, world, recoveriesMs, lost, wrong } = report;
const sorted = recoveriesMs.toSorted((one, other) => one - other);
const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
const ledgers = [...world.ledgers.values()];
const answers = [...book.answers].map(([status, count]) => `${count} x ${status || 'no answer'}`);
print(`seed ${seed}, ${kills} kills in ${report.seconds.toFixed(0)} s`);
print(`placed:     ${book.posts} (${answers.join(', ')}), accepted: ${book.accepted.size} orders`);
print(
  `ledgers:    ${ledgers.length}, of them DELIVERED: ${ledgers.filter(({ status }) => status === 'DELIVERED').length}`,
);
print(`announced:  ${report.announced} orders again, at all starts together`);
print(`back after: ${at(0.5)} ms (median), ${at(0.95)} ms (95 %), ${at(1)} ms (longest)`);
print(`settled:    ${Math.round(report.settledMs)} ms after the last kill and order`);
for (const fault of [...lost, ...wrong]) print(`  ${fault}`);
print(`${lost.length} lost, ${wrong.length} wrong`);
process.exit(lost.length + wrong.length === 0 ? 0 : 1);
