import { expect } from 'chai';
import {
  acceptingFirst,
  ackingFirst,
  believingErrors,
  orchestratingAll,
  withoutFence,
  withoutLedgerCheck,
  withoutModeCheck,
  withoutPause,
  withoutRepublication,
  withoutTombstone,
  withoutVersionGuard,
} from '../../test-kit/simulation/checks/without-guard.ts';
import { exploreWorld, type SmallWorld } from '../../test-kit/simulation/explore-world.ts';
import { type MakeService, realService } from '../../test-kit/simulation/world/world.ts';
import { sampled } from '../support/thorough.ts';
import { expectNothing } from './search.ts';
import { anyShopOfThree, shop } from './shop.ts';
import { smallWorlds } from './small-worlds.ts';

/** In so many ways at least each of these worlds can go: less would mean that the explorer had no real choice. */
const INTERLEAVINGS_MIN = 20;

/**
 * Of a world with more states than this, only so many are seen here. With three steps none has; each further step may double
 * them. `npm run explore` sees them all.
 */
const STATES_MAX = 3_000;

const holds = (small: SmallWorld) => async () => {
  const { fault, interleavingCount, isPartial } = await exploreWorld(
    shop,
    small,
    {},
    sampled(STATES_MAX, 200),
  );
  expectNothing(fault && [fault.sentence, ...fault.trace].join('\n'));
  if (!isPartial) expect(Number(interleavingCount)).to.be.greaterThan(INTERLEAVINGS_MIN);
};

const fails = (makeService: MakeService, small: SmallWorld, wanted: RegExp) => async () => {
  const { fault } = await exploreWorld(anyShopOfThree, small, { makeService });
  expect(fault?.sentence).to.match(wanted);
};

const {
  twoOrders,
  twoReservers,
  createdTwice,
  reservedTwice,
  failedTwice,
  overtakenByFailure,
  overtakenByItself,
  bothModes,
  choreographedMessage,
  workflowMessage,
  orchestratedCrash,
  paused,
  pausedAndCanceled,
  canceled,
  overdue,
  crash,
  canceledCrash,
  refusedCrash,
  postedCrash,
  repeatedCrash,
  unansweredCommit,
  unpublishedCrash,
} = smallWorlds;

const unswept = (small: SmallWorld): SmallWorld => ({ ...small, plan: { ...small.plan, swept: false } });

describe('Every interleaving of the effects keeps the promise', function () {
  this.timeout(240_000);

  it('[anomaly 15] of two orders for one unit', holds(twoOrders));
  it('[anomalies 3, 14] of two orders, where two processes reserve', holds(twoReservers));
  it('[anomaly 1] of two orders, one of them delivered twice', holds(createdTwice));
  it('[anomaly 3] of an order that is delivered to two processes at once', holds(reservedTwice));
  it('[anomaly 6] of two orders, the failure of one delivered twice', holds(failedTwice));
  it('[anomalies 5, 7, 8] of two orders, one overtaken by its failure', holds(overtakenByFailure));
  it('[anomaly 4] of two orders, one overtaken by its own third message', holds(overtakenByItself));
  it('[anomalies 15, 50] of two orders for one unit, one of them orchestrated', holds(bothModes));
  it('[anomaly 50] of an orchestrated order that meets a choreographed message', holds(choreographedMessage));
  it('[anomaly 50] of a choreographed order that meets an orchestrated message', holds(workflowMessage));
  it(
    '[anomalies 18, 36] of an orchestrated order and one crash, wherever it comes',
    holds(orchestratedCrash),
  );
  it('[anomaly 56] of an order that is paused, let go on, and delivered twice', holds(paused));
  it('[anomaly 56] of an order that is paused and canceled', holds(pausedAndCanceled));
  it('[anomaly 29] of two orders, one canceled by its customer', holds(canceled));
  it('[anomalies 27, 28] of an order that is swept after its deadline', holds(overdue));
  it('[anomalies 18, 20, 36] of two orders and one crash, wherever it comes', holds(crash));
  it('[anomalies 11, 29] of a canceled order and one crash, wherever it comes', holds(canceledCrash));
  it('[anomaly 11] of an order whose payment is refused, and one crash', holds(refusedCrash));
  it('[anomalies 18, 36] of two orders that are posted, and one crash of the frontend', holds(postedCrash));
  it(
    '[anomalies 36, 40] of an order that its customer posts again, and one crash of the frontend',
    holds(repeatedCrash),
  );
  it(
    '[anomalies 19, 40] of an order whose commit is not answered, and one crash of the frontend',
    holds(unansweredCommit),
  );
  it(
    '[anomalies 18, 37] of two orders, one of them not published, and one crash of the frontend',
    holds(unpublishedCrash),
  );
});

describe('The explorer shows what happens to three steps', () => {
  it('without the ledger check', fails(withoutLedgerCheck, createdTwice, /went from/));
  it('without the version guard', fails(withoutVersionGuard, twoReservers, /loaded/));
  it(
    '[anomaly 50] where a step ignores the mode',
    fails(withoutModeCheck, choreographedMessage, / by order, /),
  );
  it(
    '[anomaly 50] where the orchestrator ignores the mode',
    fails(orchestratingAll, workflowMessage, /by orchestrator, /),
  );
  it(
    '[anomaly 56] where a step is done although the order is paused',
    fails(withoutPause, paused, /went from PAUSED to/),
  );
  it('without the fence', fails(withoutFence, canceledCrash, /went from (FAILING|CANCELED)/));
  it('where an error is believed', fails(believingErrors, overtakenByFailure, /to CANCELED/));
  it('without the tombstone', fails(withoutTombstone, overtakenByFailure, /no ledger remembers/));
  it('without the publication after a crash', fails(withoutRepublication, refusedCrash, /rests as/));
  it(
    '[anomaly 18] without sweeps, where the frontend crashes',
    fails(realService, unswept(postedCrash), /rests as RECEIVED/),
  );
  it(
    '[anomalies 18, 36] where the frontend answers before it commits',
    fails(acceptingFirst, unpublishedCrash, /was accepted on frontend, but there is no ledger/),
  );
  it('where messages are acked first', fails(ackingFirst, refusedCrash, /rests as|never published/));
});
