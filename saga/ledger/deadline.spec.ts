import { expect } from 'chai';
import { type OrderLedger, type Status, pipeline as shop } from '../../pipeline.ts';
import { aLedger, aLedgerThatIs as aLedgerWith, NOW, UUID } from '../../test/support/builders.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import type { Saga } from '../step/saga.ts';
import type { Step } from '../step/step.ts';
import {
  announcedAgain,
  announcedAt,
  DEADLINE_SECONDS,
  deadlineOf,
  hasEnded,
  isOutlived,
  isOverdue,
  isStanding,
  nextSweep,
  overdueDetail,
  repeatDueAt,
} from './deadline.ts';
import { advance, fail, type Ledger, pause, resume, unpause } from './ledger.ts';

const seconds = (count: number) => new Date(NOW.getTime() + 1000 * count);
const secondsUntil = (moment: Date | null | undefined) => moment && (moment.getTime() - NOW.getTime()) / 1000;

describe('The deadline of a stage', () => {
  it('begins with the stage, and does not exist where the order rests, is paused or is being compensated', () => {
    const resting: readonly Status[] = [pipeline.success, 'PAUSED', 'FAILING', 'CANCELED'];
    for (const status of pipeline.statuses) {
      expect(secondsUntil(deadlineOf(pipeline, aLedgerThatIs(status))), status).to.equal(
        resting.includes(status) ? undefined : DEADLINE_SECONDS,
      );
    }
  });

  it('does not exist for an order that came to rest when nothing followed in its status', () => {
    const rested = { ...aLedgerThatIs('CREATED'), sweepAt: null };
    const later = seconds(2 * DEADLINE_SECONDS);
    const shortLived: Saga = { ...pipeline, lifetimeSeconds: 1_000 };
    for (const saga of [pipeline, shortLived]) {
      expect([
        deadlineOf(saga, rested),
        isOverdue(saga, rested, later),
        isOutlived(saga, rested, later),
      ]).to.deep.equal([undefined, false, false]);
    }
  });

  it('is over exactly when its seconds have passed', () => {
    const ledger = aLedger({ deadlineSeconds: 60 });
    expect([
      isOverdue(pipeline, ledger, seconds(59.999)),
      isOverdue(pipeline, ledger, seconds(60)),
    ]).to.deep.equal([false, true]);
  });
});

/** How an order that waits for the courier goes on. */
const delivered = (fields: Partial<OrderLedger> = {}) => ({
  ...resume(shop, aLedgerWith('DELIVERING'), { word: { word: 'delivered' }, by: 'delivery', now: NOW }),
  ...fields,
});

describe('The deadline of an order that waits', () => {
  const until = aLedgerWith('WAITING').waitsUntil?.inventory as Date;

  it('is when its wait is over, unless people are only shown it; what it waited for is never too late then', () => {
    const ends = (['RESERVED', 'WAITING', 'RESUMED', 'PAID', 'DELIVERING'] as const).map((status) => [
      status,
      deadlineOf(shop, aLedgerWith(status)),
    ]);
    expect(ends).to.deep.equal([
      ['RESERVED', seconds(DEADLINE_SECONDS)],
      ['WAITING', until],
      ['RESUMED', seconds(DEADLINE_SECONDS)],
      ['PAID', seconds(DEADLINE_SECONDS)],
      ['DELIVERING', undefined],
    ]);
    expect(deadlineOf(shop, delivered())).to.equal(undefined);
  });

  it('is told with the moment', () => {
    expect(overdueDetail(shop, aLedgerWith('WAITING'), until)).to.equal(
      `The order waited as WAITING until ${until.toISOString()}, and no word came`,
    );
  });

  it('is when it is looked at, and not before; later it is shown again after growing pauses', () => {
    for (const status of ['WAITING', 'DELIVERING'] as const) {
      const ledger = aLedgerWith(status);
      const end = Object.values(ledger.waitsUntil ?? {}).at(-1);
      expect([ledger.sweepAt, nextSweep(shop, ledger, 0, NOW)], status).to.deep.equal([end, end]);
      const late = new Date(until.getTime() + 5_000);
      expect(nextSweep(shop, ledger, 1, late)).to.deep.equal(new Date(late.getTime() + 60_000));
    }
    // What makes it go on is announced again like any other.
    expect(nextSweep(shop, delivered(), 0, NOW)).to.deep.equal(seconds(30));
  });
});

describe('A deadline that the saga says itself', () => {
  const [first, ...rest] = pipeline.steps;
  const slow = { ...pipeline, stepsAt: (stage: Ledger) => pipeline.stepsAt(stage).map(slowed) } as Saga;
  const slowed = (step: Step) => (step.name === first?.name ? { ...step, deadlineSeconds: 5 } : step);
  const shortLived: Saga = { ...pipeline, lifetimeSeconds: 1_000 };

  it('of a step counts before that step, and the configuration before all others', () => {
    expect(rest).not.to.deep.equal([]);
    const ends = ['RECEIVED', 'CREATED'].map((status) =>
      secondsUntil(deadlineOf(slow, aLedgerThatIs(status as Status))),
    );
    expect(ends).to.deep.equal([5, DEADLINE_SECONDS]);
    expect(overdueDetail(slow, aLedger(), seconds(5))).to.equal(
      'The order stood as RECEIVED for more than 5 s',
    );
    // Of several whose turn it is, the most impatient one counts.
    const both: Saga = { ...slow, stepsAt: (stage) => [...slow.stepsAt(stage), ...pipeline.stepsAt(stage)] };
    expect(secondsUntil(deadlineOf(both, aLedger()))).to.equal(5);
    // It is looked at again soon enough.
    expect(secondsUntil(nextSweep(slow, aLedger(), 0, NOW))).to.equal(0.625);
  });

  it('of the whole order counts from its beginning, however far it has come', () => {
    const late = advance(pipeline, aLedger(), { step: 'order', by: 'order', learned: {}, now: seconds(800) });
    expect([
      secondsUntil(deadlineOf(shortLived, aLedger())),
      secondsUntil(deadlineOf(shortLived, late)),
    ]).to.deep.equal([DEADLINE_SECONDS, 1_000]);
    expect([
      isOverdue(shortLived, late, seconds(999.999)),
      isOverdue(shortLived, late, seconds(1_000)),
    ]).to.deep.equal([false, true]);
    expect(overdueDetail(shortLived, late, seconds(1_000))).to.equal('The order has not ended within 1000 s');
  });

  it('[anomaly 56] of the whole order is put off by its pauses, even from its first moment on', () => {
    const pausedFor = (from: number, to: number, ledger: Ledger) => {
      const stopped = pause(pipeline, ledger, { by: 'janitor', now: seconds(from) });
      return unpause(pipeline, stopped, { by: 'janitor', now: seconds(to) });
    };
    // The deadline of its stage is later.
    const ledger = pausedFor(900, 950, pausedFor(0, 100, aLedger()));
    expect(secondsUntil(deadlineOf(shortLived, ledger))).to.equal(1_150);
    // Of a fork, only what came since it was made counts.
    const forkOf = { uuid: UUID, at: seconds(500) };
    expect(secondsUntil(deadlineOf(shortLived, { ...ledger, forkOf }))).to.equal(1_550);
  });

  it('of the whole order does not end a compensation, nor an order that rests', () => {
    for (const status of ['FAILING', 'CANCELED', pipeline.success] as const) {
      expect(deadlineOf(shortLived, aLedgerThatIs(status)), status).to.equal(undefined);
    }
  });
});

describe('An order', () => {
  it('stands while something must follow by itself', () => {
    const standing = pipeline.statuses.filter((status) => isStanding(pipeline, { status }));
    const resting: readonly Status[] = [pipeline.success, 'PAUSED', 'CANCELED'];
    expect(standing).to.deep.equal(pipeline.statuses.filter((status) => !resting.includes(status)));
  });
});

describe('An order that nothing follows', () => {
  it('has come to its end, unless somebody has stopped it', () => {
    const ended = pipeline.statuses.filter((status) => hasEnded(aLedgerThatIs(status)));
    expect(ended).to.deep.equal([pipeline.success, 'CANCELED']);
  });
});

describe('The next sweep of a ledger', () => {
  const pauses = (status: Status, deadlineSeconds: number, count: number) =>
    Array.from({ length: count }, (_, repeats) =>
      secondsUntil(nextSweep(pipeline, aLedgerThatIs(status, { deadlineSeconds }), repeats, NOW)),
    );

  it('[anomaly 34] comes after a pause that doubles with each announcement, and at the deadline at the latest', () => {
    expect(pauses('CREATED', 900, 7)).to.deep.equal([30, 60, 120, 240, 480, 900, 900]);
  });

  it('comes soon enough where the deadline is short', () => {
    expect(pauses('CREATED', 8, 5)).to.deep.equal([1, 2, 4, 8, 8]);
    expect(pauses('FAILING', 8, 5)).to.deep.equal([1, 2, 4, 8, 16]);
  });

  it('[anomaly 12] comes for a compensation at least once an hour, for ever', () => {
    expect(pauses('FAILING', 900, 10).slice(5)).to.deep.equal([960, 1920, 3600, 3600, 3600]);
  });

  it('does not come where the order rests', () => {
    expect([...pauses(pipeline.success, 900, 1), ...pauses('CANCELED', 900, 1)]).to.deep.equal([null, null]);
  });
});

describe('The sweep of a ledger that moves on', () => {
  const create = (ledger: Ledger, elapsedSeconds: number) =>
    advance(pipeline, ledger, { step: 'order', by: 'order', learned: {}, now: seconds(elapsedSeconds) });

  it('stays where it was planned: early at worst, never late', () => {
    const received = aLedger();
    const created = create(received, 20);
    expect(created.sweepAt).to.equal(received.sweepAt);
    expect(repeatDueAt(pipeline, received)).to.deep.equal(seconds(30));
    expect(repeatDueAt(pipeline, created)).to.deep.equal(seconds(50));
  });

  it('is planned anew where it came to nothing, or where the pauses had grown long', () => {
    expect(create(aLedger(), 30).sweepAt).to.deep.equal(seconds(60));
    const moved = create(announcedAgain(pipeline, aLedger({ repeats: 4 }), NOW), 20);
    expect([moved.sweepAt, moved.repeats]).to.deep.equal([seconds(50), 0]);
  });

  it('is planned when an order that had come to rest fails, and not while it rests', () => {
    const finished = aLedgerThatIs(pipeline.success);
    const failing = fail(pipeline, finished, {
      by: 'frontend',
      reason: 'CANCELED_BY_CUSTOMER',
      detail: 'No',
      now: seconds(100),
    });
    expect([finished.sweepAt, failing.sweepAt]).to.deep.equal([null, seconds(130)]);
  });

  it('comes after a repeated announcement exactly when its pause is over', () => {
    const ledger = announcedAgain(pipeline, aLedger(), seconds(40));
    expect(repeatDueAt(pipeline, ledger)).to.deep.equal(ledger.sweepAt);
  });
});

describe('The last announcement of a ledger', () => {
  it('is the moment at which it came to stand, or the last repetition', () => {
    expect(announcedAt(pipeline, aLedger())).to.deep.equal(NOW);
    expect(announcedAt(pipeline, announcedAgain(pipeline, aLedger(), seconds(40)))).to.deep.equal(
      seconds(40),
    );
  });

  it('is never taken for later than it was, where the next sweep comes early because of the deadline', () => {
    const ledger = announcedAgain(pipeline, aLedger({ deadlineSeconds: 100, repeats: 3 }), seconds(90));
    expect(ledger.sweepAt).to.deep.equal(seconds(100));
    expect(announcedAt(pipeline, ledger).getTime()).to.be.at.most(seconds(90).getTime());
  });
});

describe('A repeated announcement', () => {
  it('is counted within its stage', () => {
    const once = announcedAgain(pipeline, aLedger(), NOW);
    expect(once).to.deep.equal({ ...aLedger(), repeats: 1, sweepAt: seconds(60) });
    expect(announcedAgain(pipeline, once, NOW)).to.deep.equal({
      ...aLedger(),
      repeats: 2,
      sweepAt: seconds(120),
    });
  });
});
