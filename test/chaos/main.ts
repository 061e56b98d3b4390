import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { startEmulators } from '../../local/emulators.ts';
import { pipeline } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { runChaos } from './run.ts';
import { summaryOf } from './summary.ts';

/**
 * Chaos on the real thing: Google's emulators, each service its own process, thousands of orders, and everything that
 * can go wrong going wrong. The exit code is 0 where no order is lost and nothing is wrong.
 * Usage: npm run chaos -- [--minutes N] [--seed S] [--rate ORDERS_PER_SECOND] [--log FILE]
 * FILE gets everything that the services log.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    rate: { type: 'string', default: '20' },
    log: { type: 'string' },
  },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const log = values.log === undefined ? undefined : createWriteStream(values.log);
const [minutes = 0, rate = 0, seed = 0] = [values.minutes, values.rate, values.seed].map(Number);
if (!(minutes > 0 && rate > 0 && Number.isSafeInteger(seed))) {
  print('Usage: npm run chaos -- [--minutes N] [--seed S] [--rate ORDERS_PER_SECOND] [--log FILE]');
  process.exit(1);
}
const times = (perMinute: number, atLeast: number) => Math.max(atLeast, Math.round(perMinute * minutes));

const emulators = await startEmulators(0, 0, (error) => {
  print(error.message);
  process.exit(1);
});
try {
  const report = await runChaos(
    {
      projectId: `demo-chaos-${process.pid}`,
      ...emulators,
      topology: topologyOf(pipeline),
      seed,
      loadSeconds: Math.ceil(60 * minutes),
      ordersPerSecond: rate,
      faults: {
        kills: times(0.5, 1),
        terminations: times(1.5, 2),
        cuts: times(1.5, 2),
        slowdowns: times(1, 1),
        repeats: times(4, 2),
        poison: times(2, 1),
        audits: times(3, 2),
      },
      // Longer than the ack deadline: what a dead reader held has come again by then.
      quietSeconds: 15,
      mayExpire: false,
      quietLimitSeconds: 300,
      onLine: (line) => log?.write(`${line}\n`),
      environment: { SWEEP_INTERVAL_SECONDS: '5' },
    },
    print,
  );
  for (const story of report.stories) print(`\n${story}`);
  for (const line of summaryOf(report)) print(line);
  if (report.lost.length + report.wrong.length > 0) {
    print(`Again: npm run chaos -- --minutes ${minutes} --seed ${seed} --rate ${rate}`);
    process.exitCode = 1;
  }
} finally {
  await emulators.stop();
}
// Clients that repeat what nobody waits for any more would keep the process for minutes.
process.exit();
