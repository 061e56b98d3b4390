import { expect } from 'chai';
import {
  ackingFirst,
  withoutFence,
  withoutLedgerCheck,
  withoutRepublication,
  withoutTombstone,
  withoutVersionGuard,
} from './broken-services.ts';
import { explore } from './explorer.ts';
import { smallWorlds } from './small-worlds.ts';
import type { MakeService } from './world.ts';

/** Orders in these worlds can end in so many ways at least: less would mean that the explorer went no real choice. */
const INTERLEAVINGS_MIN = 20n;

describe('Every interleaving of the effects', function () {
  this.timeout(120_000);

  for (const small of smallWorlds) {
    it(`holds the promise: ${small.name}`, async function () {
      const { fault, stateCount, interleavingCount } = await explore(small);
      expect(fault && [fault.sentence, ...fault.trace].join('\n')).to.equal(undefined);
      expect(interleavingCount >= INTERLEAVINGS_MIN).to.equal(true);
      if (this.test) this.test.title += ` (${stateCount} states, ${interleavingCount} interleavings)`;
    });
  }

  const guards: readonly [guard: string, broken: MakeService, world: RegExp, wanted: RegExp][] = [
    ['ledger check', withoutLedgerCheck, /anomaly 1\]/, /went from|exists although/],
    ['version guard', withoutVersionGuard, /anomalies 3, 14/, /loaded/],
    ['fence', withoutFence, /anomaly 29\] two/, /went from/],
    ['tombstone', withoutTombstone, /anomalies 5/, /no ledger remembers/],
    ['publication after a crash', withoutRepublication, /anomaly 11/, /rests as/],
    ['order commit, publish, ack', ackingFirst, /anomaly 11/, /rests as/],
  ];
  for (const [guard, makeService, world, wanted] of guards) {
    it(`shows what happens without the ${guard}`, async () => {
      const small = smallWorlds.find(({ name }) => world.test(name));
      if (small === undefined) throw new Error('There is no such world');
      const { fault } = await explore(small, { makeService });
      expect(fault?.sentence).to.match(wanted);
    });
  }
});
