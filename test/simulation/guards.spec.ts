import { expect } from 'chai';
import {
  ackingFirst,
  publishingFirst,
  withAbsoluteUndo,
  withInvertedUndo,
  withoutFence,
  withoutLedgerCheck,
  withoutRepublication,
  withoutTombstone,
  withoutVersionGuard,
  withPartialUndo,
} from './broken-services.ts';
import { holdingFaults, stockFaults } from './invariants.ts';
import { originalService } from './original-services.ts';
import type { PlanLimits } from './plan.ts';
import { findFault, told } from './search.ts';
import type { Deeds, MakeService, World } from './world.ts';

/** Within so many seeds a missing guard must show. */
const SEEDS_MAX = 100;

/** Nobody sweeps, and each order comes in as a message: what goes wrong, redelivery alone must mend. */
const REDELIVERY_ALONE: PlanLimits = {
  kinds: ['crash', 'publish', 'commit', 'read', 'pause', 'late', 'lost ack', 'duplicate'],
  via: ['topic', 'nameless'],
  swept: false,
};

const guards: readonly [guard: string, broken: MakeService, limits: PlanLimits, wanted: RegExp][] = [
  [
    '[anomalies 1, 2] of the ledger check',
    withoutLedgerCheck,
    { kinds: ['duplicate', 'publish'] },
    /went from|exists although/,
  ],
  ['[anomalies 3, 14, 15, 21] of the version guard', withoutVersionGuard, { kinds: [] }, /were loaded/],
  [
    '[anomalies 21, 28] of the version guard, where workers sleep',
    withoutVersionGuard,
    { kinds: ['pause', 'sweep'] },
    /forgot/,
  ],
  [
    '[anomalies 8, 9] of the fence',
    withoutFence,
    { kinds: ['duplicate', 'late'] },
    /went from (FAILING|CANCELED)/,
  ],
  ['[anomalies 5, 7] of the tombstone', withoutTombstone, { kinds: ['forged'] }, /no ledger remembers/],
  ['[anomaly 18] of the publication after a crash', withoutRepublication, REDELIVERY_ALONE, /rests as/],
  ['[anomaly 18] of the order commit, publish, ack (acked first)', ackingFirst, REDELIVERY_ALONE, /rests as/],
  [
    '[anomaly 18] of the order commit, publish, ack (published first)',
    publishingFirst,
    REDELIVERY_ALONE,
    /./,
  ],
  ['[anomaly 13] of the exact undo (it takes again)', withInvertedUndo, { kinds: [] }, /were loaded/],
  ['[anomaly 13] of the exact undo (one line of several)', withPartialUndo, { kinds: [] }, /were loaded/],
  ['[anomaly 17] of the undo by a difference', withAbsoluteUndo, { kinds: [] }, /were loaded/],
];

describe('The simulation notices the absence', function () {
  this.timeout(60_000);

  for (const [guard, makeService, limits, wanted] of guards) {
    it(guard, async () => {
      const found = await findFault(SEEDS_MAX, limits, { makeService }, wanted);
      if (found === undefined) throw new Error(`Nothing was found in ${SEEDS_MAX} seeds`);
      const guarded = await findFault(found.plan.seed, limits);
      expect(guarded && told(guarded)).to.equal(undefined);
    });
  }

  it('[anomalies 18, 38] of the sweeper', async () => {
    const limits: PlanLimits = { kinds: ['stolen'] };
    const found = await findFault(SEEDS_MAX, { ...limits, swept: false }, {}, /rests as/);
    if (found === undefined) throw new Error(`Nothing was found in ${SEEDS_MAX} seeds`);
    const swept = await findFault(found.plan.seed, limits);
    expect(swept && told(swept)).to.equal(undefined);
  });
});

/** Of the original, only what it promises is checked: stock, at rest, and that an order is there as a whole or not at all. */
const checkOriginal = ({ documents, plan, published }: World, { accepted }: Deeds): string[] => [
  ...stockFaults(documents, plan),
  ...holdingFaults(
    documents,
    accepted,
    new Set(
      published.flatMap(({ topic, attributes }) =>
        topic === 'order-canceled' ? [attributes['ce-subject'] ?? ''] : [],
      ),
    ),
  ),
];

describe('The checker sees what the original of this pipeline is known for', function () {
  this.timeout(60_000);

  const known: readonly [fault: string, limits: PlanLimits, wanted: RegExp][] = [
    ['[anomaly 14] lost updates of the stock, without any fault around it', { kinds: [] }, /more than/],
    ['[anomaly 6] stock given back twice', { kinds: ['duplicate'], orderMax: 1 }, /more than/],
    [
      '[anomaly 8] a step that runs after its undo',
      { kinds: ['late', 'duplicate', 'forged'] },
      /announced as canceled, but holds/,
    ],
    ['[anomaly 9] an order that a replay brings back', { kinds: [] }, /old messages that came again/],
    [
      '[anomaly 18] state that was saved, and its message never published',
      { kinds: ['publish'] },
      /holds only/,
    ],
  ];
  for (const [fault, limits, wanted] of known) {
    it(fault, async () => {
      const options = { makeService: originalService, check: () => [], checkRest: checkOriginal };
      const topicOnly: PlanLimits = { ...limits, via: ['topic'], swept: false };
      const found = await findFault(SEEDS_MAX, topicOnly, options, wanted);
      if (found === undefined) throw new Error(`Nothing was found in ${SEEDS_MAX} seeds`);
      const ours = await findFault(found.plan.seed, topicOnly, { checkRest: checkOriginal });
      expect(ours && told(ours)).to.equal(undefined);
    });
  }
});
