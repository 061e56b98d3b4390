import { expect } from 'chai';
import { guards } from '../../test-kit/simulation/checks/guards.ts';
import {
  ackingFirst,
  forgettingCanceled,
  forgettingFinished,
  publishingFirst,
  withHastySweeper,
  withInvertedUndo,
  withoutFence,
  withoutFloor,
  withoutLedgerCheck,
  withoutRepublication,
  withoutStepDeadline,
  withoutUndo,
  withoutVersionGuard,
  withPartialUndo,
  withStaleTime,
} from '../../test-kit/simulation/checks/without-guard.ts';
import { drawPlan, type PlanLimits } from '../../test-kit/simulation/plan.ts';
import { runWorld } from '../../test-kit/simulation/run-world.ts';
import { missedGuards, simulate } from '../../test-kit/simulation/simulate.ts';
import type { Subject } from '../../test-kit/simulation/subject.ts';
import type { MakeService } from '../../test-kit/simulation/world/world.ts';
import { longTest, sampled } from '../support/thorough.ts';
import { overwritingItems, withAbsoluteUndo } from './broken-shop.ts';
import { originalService } from './original-services.ts';
import { expectNothing } from './search.ts';
import { anyShopOfThree, shop } from './shop.ts';

/** The shop without a line that was written to check it: what the kit notices in any saga. */
const { check: _check, checkRest: _checkRest, ...anySaga } = shop;

const SEEDS_MAX = 100;

/** Some seed shows what is wrong with three steps, in these words, and holds with the services as they are. */
const shows =
  (makeService: MakeService, limits: PlanLimits, wanted: RegExp, subject: Subject = anyShopOfThree) =>
  async () => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const plan = drawPlan(subject, seed, limits);
      const { wrongs } = await runWorld(subject, plan, { makeService });
      if (!wrongs.some((wrong) => wanted.test(wrong))) continue;
      expectNothing((await runWorld(subject, plan)).fault);
      return;
    }
    throw new Error(`Nothing was found in ${SEEDS_MAX} seeds`);
  };

describe('The test kit, which knows of the shop only its definition,', function () {
  this.timeout(180_000);

  it('finds nothing wrong with it', async () => {
    expectNothing((await simulate(anySaga, { seeds: sampled(50, 10) })).failure?.report);
  });
  longTest('notices each guard that is taken out', async () => {
    expect(await missedGuards(anySaga)).to.deep.equal([]);
  });
  it('reports a failure with its smallest plan, and how to see it again', async () => {
    const { failure } = await simulate(anySaga, { without: 'undo' });
    expect(failure?.plan.orders).to.have.length(1);
    expect(failure?.report).to.contain(`simulate(subject, { firstSeed: ${failure?.seed}, seeds: 1 })`);
    const again = await simulate(anySaga, { without: 'undo', firstSeed: failure?.seed ?? 0, seeds: 1 });
    expect(again).to.deep.include({ seedCount: 1, failure });
  });

  const { limits: redelivery } = guards['publication after a crash'];
  it('sees a step that goes back', shows(withoutLedgerCheck, { kinds: ['duplicate'] }, /went from/));
  it(
    'sees an order that rose',
    shows(withoutFence, { kinds: ['late', 'duplicate'] }, /went from (FAILING|CANCELED)/),
  );
  it('sees a lost transition', shows(withoutVersionGuard, { kinds: ['pause', 'sweep'] }, /forgot a part/));
  it('sees a late step', shows(withoutStepDeadline, { kinds: ['late', 'sweep'] }, /after its deadline/));
  it('sees a clock go back', shows(withStaleTime, { kinds: ['pause', 'forged'] }, /back in time/));
  it(
    'sees an order fail before its time',
    shows(withHastySweeper, { kinds: ['clock', 'sweep', 'stolen'] }, /no clock showed that it was/),
  );
  it('sees another order than was asked for', shows(overwritingItems, { kinds: [] }, /another items/));
  it('sees a finished order expire', shows(forgettingFinished, { kinds: [] }, /may be deleted/));
  it('sees a tombstone expire', shows(forgettingCanceled, { kinds: [] }, /stays for \d+ ms/));
  it('sees a negative balance', shows(withoutFloor, { kinds: [] }, /has (quantity|credit) -\d+/));
  it('sees a lost update', shows(withoutVersionGuard, { kinds: [] }, /orders hold \d+ of loaded/));
  it('sees an undo that takes', shows(withInvertedUndo, { kinds: [] }, /orders hold \d+ of/));
  it('sees an undo that forgets', shows(withPartialUndo, { kinds: [] }, /orders hold \d+ of/));
  it('sees an undo of old values', shows(withAbsoluteUndo, { kinds: [] }, /orders hold \d+ of loaded/));
  it('sees a record that stays', shows(withoutUndo, { kinds: [] }, /but the ledgers call for nothing/));
  it('sees an order that was lost', shows(ackingFirst, redelivery, /but there is no ledger/));
  it('sees an end that nobody heard of', shows(ackingFirst, redelivery, /was never published/));
  it(
    'sees an end that never was',
    shows(publishingFirst, { kinds: ['pause', 'sweep'] }, /but payment-created was published/),
  );
  it('sees old messages do something', shows(withoutFence, { kinds: [] }, /old messages that came again/));
  it('sees an order that stands', shows(withoutRepublication, redelivery, /rests as/));
  it(
    'sees records without a ledger',
    shows(originalService, { kinds: [] }, /but the ledgers call for nothing/),
  );
});
