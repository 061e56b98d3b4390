import { expect } from 'chai';
import { aSaga, aSagaThatIs, NOW } from '../../test/support/builders.ts';
import {
  announcedAt,
  DEADLINE_SECONDS,
  deadlineOf,
  isOverdue,
  isStanding,
  nextSweep,
  redriveDueAt,
  redriven,
} from './deadline.ts';
import { advance, fail, type Saga, STATUSES, type Status } from './ledger.ts';

const seconds = (count: number) => new Date(NOW.getTime() + 1000 * count);
const secondsUntil = (moment: Date | null | undefined) => moment && (moment.getTime() - NOW.getTime()) / 1000;

describe('The deadline of a stage', () => {
  it('begins with the stage, and does not exist where the order rests or is being compensated', () => {
    const deadlines = STATUSES.map((status) => [status, secondsUntil(deadlineOf(aSagaThatIs(status)))]);
    expect(Object.fromEntries(deadlines)).to.deep.equal({
      RECEIVED: DEADLINE_SECONDS,
      CREATED: DEADLINE_SECONDS,
      RESERVED: DEADLINE_SECONDS,
      PAID: undefined,
      FAILING: undefined,
      CANCELED: undefined,
    } satisfies Record<Status, number | undefined>);
  });

  it('does not exist for an order that came to rest when nothing followed in its status', () => {
    const rested = { ...aSagaThatIs('CREATED'), sweepAt: null };
    expect([deadlineOf(rested), isOverdue(rested, seconds(2 * DEADLINE_SECONDS))]).to.deep.equal([
      undefined,
      false,
    ]);
  });

  it('is over exactly when its seconds have passed', () => {
    const saga = aSaga({ deadlineSeconds: 60 });
    expect([isOverdue(saga, seconds(59.999)), isOverdue(saga, seconds(60))]).to.deep.equal([false, true]);
  });
});

describe('An order', () => {
  it('stands while something must follow', () => {
    const standing = STATUSES.filter((status) => isStanding({ status }));
    expect(standing).to.deep.equal(['RECEIVED', 'CREATED', 'RESERVED', 'FAILING']);
  });
});

describe('The next sweep of a ledger', () => {
  const pauses = (status: Status, deadlineSeconds: number, count: number) =>
    Array.from({ length: count }, (_, redrives) =>
      secondsUntil(nextSweep(aSagaThatIs(status, { deadlineSeconds }), redrives, NOW)),
    );

  it('[anomaly 34] comes after a pause that doubles with each re-drive, and at the deadline at the latest', () => {
    expect(pauses('CREATED', 900, 7)).to.deep.equal([30, 60, 120, 240, 480, 900, 900]);
  });

  it('comes soon enough where the deadline is short', () => {
    expect(pauses('CREATED', 8, 5)).to.deep.equal([1, 2, 4, 8, 8]);
  });

  it('[anomaly 12] comes for a compensation at least once an hour, for ever', () => {
    expect(pauses('FAILING', 900, 10).slice(5)).to.deep.equal([960, 1920, 3600, 3600, 3600]);
  });

  it('does not come where the order rests', () => {
    expect([...pauses('PAID', 900, 1), ...pauses('CANCELED', 900, 1)]).to.deep.equal([null, null]);
  });
});

describe('The sweep of a ledger that moves on', () => {
  const create = (saga: Saga, elapsedSeconds: number) =>
    advance(saga, 'order', 'CREATED', {}, seconds(elapsedSeconds));

  it('stays where it was planned: early at worst, never late', () => {
    const received = aSaga();
    const created = create(received, 20);
    expect(created.sweepAt).to.equal(received.sweepAt);
    expect(redriveDueAt(received)).to.deep.equal(seconds(30));
    expect(redriveDueAt(created)).to.deep.equal(seconds(50));
  });

  it('is planned anew where it came to nothing, or where the pauses had grown long', () => {
    expect(create(aSaga(), 30).sweepAt).to.deep.equal(seconds(60));
    const driven = create(redriven(aSaga({ redrives: 4 }), NOW), 20);
    expect([driven.sweepAt, driven.redrives]).to.deep.equal([seconds(50), 0]);
  });

  it('is planned when an order that had come to rest fails, and not while it rests', () => {
    const paid = aSagaThatIs('PAID');
    const failing = fail(paid, 'frontend', 'CANCELED_BY_CUSTOMER', 'No', seconds(100));
    expect([paid.sweepAt, failing.sweepAt]).to.deep.equal([null, seconds(130)]);
  });

  it('comes after a re-drive exactly when its pause is over', () => {
    const saga = redriven(aSaga(), seconds(40));
    expect(redriveDueAt(saga)).to.deep.equal(saga.sweepAt);
  });
});

describe('The last announcement of a ledger', () => {
  it('is the moment at which it came to stand, or the last re-drive', () => {
    expect(announcedAt(aSaga())).to.deep.equal(NOW);
    expect(announcedAt(redriven(aSaga(), seconds(40)))).to.deep.equal(seconds(40));
  });

  it('is never taken for later than it was, where the next sweep comes early because of the deadline', () => {
    const saga = redriven(aSaga({ deadlineSeconds: 100, redrives: 3 }), seconds(90));
    expect(saga.sweepAt).to.deep.equal(seconds(100));
    expect(announcedAt(saga).getTime()).to.be.at.most(seconds(90).getTime());
  });
});

describe('A re-drive', () => {
  it('is counted within its stage', () => {
    const once = redriven(aSaga(), NOW);
    expect(once).to.deep.equal({ ...aSaga(), redrives: 1, sweepAt: seconds(60) });
    expect(redriven(once, NOW)).to.deep.equal({ ...aSaga(), redrives: 2, sweepAt: seconds(120) });
  });
});
