import { exploreWorld } from '../../test-kit/simulation/explore-world.ts';
import { shop } from './shop.ts';
import { largerWorlds, smallWorlds } from './small-worlds.ts';

/** Goes every way through the small worlds and the larger ones: `npm run explore`. */
for (const small of [...Object.values(smallWorlds), ...largerWorlds]) {
  const startMs = performance.now();
  const { stateCount, interleavingCount, restCount, fault } = await exploreWorld(shop, small);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(
    `${small.name}: ${stateCount} states, ${interleavingCount} interleavings, ${restCount} ends, ${seconds} s\n`,
  );
  if (fault === undefined) continue;
  process.stdout.write(`${fault.sentence}\n${fault.trace.join('\n')}\n`);
  process.exitCode = 1;
}
