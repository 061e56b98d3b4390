import { explore } from './explorer.ts';
import { largerWorlds, smallWorlds } from './small-worlds.ts';

/** Goes every way through the small worlds and the larger ones: `npm run explore`. */
for (const small of [...smallWorlds, ...largerWorlds]) {
  const startMs = performance.now();
  const { stateCount, interleavingCount, restCount, fault } = await explore(small);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(
    `${small.name}: ${stateCount} states, ${interleavingCount} interleavings, ${restCount} ends, ${seconds} s\n`,
  );
  if (fault === undefined) continue;
  process.stdout.write(`${fault.sentence}\n${fault.trace.join('\n')}\n`);
  process.exitCode = 1;
}
