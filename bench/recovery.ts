import { parseArgs } from 'node:util';
import { until } from '../local/until.ts';
import { pipeline } from '../pipeline.ts';
import { runProgram } from '../test/support/child.ts';

/**
 * How long orders take on the emulators' stack while one of its services gets SIGKILL, as customers meet it: from the POST until
 * nothing more happens by itself. Docs/decisions/0007 has figures.
 * Usage: npm run bench:recovery -- [--service payments] [--seconds 12] [--rate 20] [--kill-after 4]
 */
const { values } = parseArgs({
  options: {
    service: { type: 'string', default: 'payments' },
    seconds: { type: 'string', default: '12' },
    rate: { type: 'string', default: '20' },
    'kill-after': { type: 'string', default: '4' },
  },
});
const [seconds, rate, killAfter] = [values.seconds, values.rate, values['kill-after']].map(Number) as [
  number,
  number,
  number,
];
/** Nothing in the stack takes longer: then an order is lost. */
const LIMIT_MS = 180_000;

/** Where an order comes to rest, until a courier has something to say. */
const RESTS = [pipeline.steps.at(-1)?.waits?.as, pipeline.success, 'CANCELED'];
interface Seen {
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const say = (name: string, ms: readonly number[]) =>
  process.stdout.write(
    `${name}: ${ms.length}, the slowest ${Math.max(0, ...ms)} ms, ${ms.filter((one) => one > 10_000).length} over 10 s\n`,
  );

const stack = runProgram('local/start-emulators.js', [], {
  PORT: '0',
  PUBSUB_EMULATOR_HOST: '127.0.0.1:0',
  FIRESTORE_EMULATOR_HOST: '127.0.0.1:0',
  LOG_LEVEL: 'info',
});
try {
  const line = await stack.line(/The pipeline runs on/);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';
  const listens = await stack.line(new RegExp(`${values.service} +listens .*pid=`));
  const pid = Number(/pid=(\d+)/.exec(listens)?.[1]);
  const order = async () => {
    const response = await fetch(`${url}/order`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ item: 'widget', quantity: 1, user: 'jack' }),
    });
    return ((await response.json()) as { uuid?: string }).uuid;
  };

  let killedAtMs = 0;
  const placed: Promise<string | undefined>[] = [];
  for (let index = 0; index < seconds * rate; index++) {
    if (index === killAfter * rate) {
      process.kill(pid, 'SIGKILL');
      killedAtMs = Date.now();
      const again = new RegExp(`${values.service} +listens .*pid=(?!${pid}\\b)`);
      void stack
        .line(again)
        .then(() => say('its next process listens, from the kill', [Date.now() - killedAtMs]));
    }
    placed.push(order());
    await new Promise((resolve) => setTimeout(resolve, 1000 / rate));
  }
  const uuids = (await Promise.all(placed)).filter((uuid) => uuid !== undefined);
  const rested = new Map<string, Seen>();
  await until('every order has come to rest', LIMIT_MS, async () => {
    for (const uuid of uuids) {
      if (rested.has(uuid)) continue;
      const seen = (await (await fetch(`${url}/order/${uuid}`)).json()) as Seen;
      if (RESTS.includes(seen.status)) rested.set(uuid, seen);
    }
    return rested.size === uuids.length;
  }).catch((error: Error) => process.stdout.write(`${error.message}: ${rested.size} of ${uuids.length}\n`));

  const tookMs = (seen: Seen) => Date.parse(seen.updatedAt) - Date.parse(seen.createdAt);
  const all = [...rested.values()];
  const underWay = all.filter(
    (seen) => Date.parse(seen.createdAt) <= killedAtMs && Date.parse(seen.updatedAt) > killedAtMs,
  );
  const later = all.filter((seen) => Date.parse(seen.createdAt) > killedAtMs);
  say(
    'orders under way at the kill, from the kill',
    underWay.map((seen) => Date.parse(seen.updatedAt) - killedAtMs),
  );
  say('orders placed afterwards, from their POST', later.map(tookMs));
} finally {
  stack.process.kill('SIGTERM');
  await stack.exited;
}
