import { expect } from 'chai';
import { accountsIn } from '../../data-init/load-data.ts';
import { sweep } from '../../janitor/sweep/sweep.ts';
import { pipeline } from '../../pipeline.ts';
import {
  aLedger,
  aLedgerThatIs,
  documentsOf,
  LATER,
  learnedBy,
  NOW,
  SETTINGS,
  UUID,
} from '../../test/support/builders.ts';
import { LOADED } from '../../test/support/finished-order.ts';
import { createManualClock } from '../../test/support/manual-clock.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { takeTurns } from '../deliver/turns.ts';
import { deadlineOf, isOverdue } from '../ledger/deadline.ts';
import { lastTransition, statusIn } from '../ledger/history.ts';
import {
  advance,
  CANCELED,
  FAILING,
  type Ledger,
  ledgerPath,
  PAUSED,
  pause,
  stageOf,
  unpause,
} from '../ledger/ledger.ts';
import { ledgerAt } from '../ledger/ledger-at.ts';
import { readLedger } from '../ledger/read-ledger.ts';
import { readOne } from '../ports/store.ts';
import { compensationTask } from '../step/compensate.ts';
import { holdsOf } from '../step/holds.ts';
import { defineSaga, type Saga } from '../step/saga.ts';
import { stepTask } from '../step/take-step.ts';
import type { LedgerTask } from '../step/turn.ts';
import { cancelTask } from './cancel.ts';
import { PAUSES_MAX, pauseTask, skipTask, unpauseTask } from './steer.ts';

const alice = { by: 'janitor', person: 'alice', note: 'The provider is away' };
const YEAR_LATER = new Date(LATER.getTime() + 365 * 86_400_000);

const take = (task: LedgerTask, ledger: Ledger | undefined, now = LATER) =>
  task.take(ledger, documentsOf({ 'users/jack': { credit: 100, granted: 100 } }), now);
const accounts = Object.fromEntries(accountsIn(pipeline, LOADED));
const paused = (ledger: Ledger): Ledger => pause(pipeline, ledger, { ...alice, now: LATER });
/** Why there is nothing to stop. */
const STANDS_BECAUSE: Readonly<Record<string, string>> = {
  WAITING: 'it stands still until it hears a word',
  DELIVERING: 'it stands still until it hears a word',
  DELIVERED: 'nothing follows',
  FAILING: 'PAYMENT_ERROR',
  CANCELED: 'PAYMENT_ERROR',
};
/** Where a step comes next. */
const underWay = pipeline.statuses.filter((status) =>
  pipeline.nextOf(aLedgerThatIs(status)).includes(PAUSED as never),
);

describe('Pausing an order', () => {
  it('is possible wherever a step comes next', () => {
    expect(underWay).to.deep.equal(['RECEIVED', 'CREATED', 'RESERVED', 'PAID', 'RESUMED']);
  });

  for (const status of pipeline.statuses) {
    const ledger = aLedgerThatIs(status);
    if (underWay.includes(status)) {
      it(`that is ${status} stops it there, and the history says who wanted that and why`, () => {
        const { outcome, ledger: stopped } = take(pauseTask(pipeline, UUID, alice), ledger);
        expect([outcome, stopped?.status, stopped && stageOf(stopped)]).to.deep.equal([
          'steered',
          PAUSED,
          status,
        ]);
        expect(lastTransition(stopped as Ledger)).to.deep.equal({ at: LATER, status: PAUSED, ...alice });
        expect(readLedger(pipeline, UUID, stopped as Ledger)).to.deep.equal({ ledger: stopped });
        expect(holdsOf(pipeline, stopped as Ledger)).to.deep.equal(holdsOf(pipeline, ledger));
      });
    } else if (status === PAUSED) {
      it('that is paused already changes nothing', () => {
        expect(take(pauseTask(pipeline, UUID, alice), ledger)).to.deep.equal({
          outcome: 'duplicate',
          ledger,
        });
      });
    } else {
      it(`[anomaly 56] that is ${status} is not possible: nothing is held up`, () => {
        expect(take(pauseTask(pipeline, UUID, alice), ledger)).to.deep.equal({
          outcome: 'unheeded',
          ledger,
          detail: `The order is ${status}: ${STANDS_BECAUSE[status]}`,
        });
      });
    }
  }

  it('that nobody knows does nothing', () => {
    for (const task of [
      pauseTask(pipeline, UUID, alice),
      unpauseTask(pipeline, UUID, alice),
      skipTask(pipeline, UUID, 'payments', alice),
    ]) {
      expect(take(task, undefined)).to.deep.equal({ outcome: 'ignored' });
    }
  });

  it('has a limit, so that no history grows without end', () => {
    let ledger: Ledger = aLedgerThatIs('RESERVED');
    for (let count = 0; count < PAUSES_MAX; count += 1) {
      const { outcome, ledger: stopped } = take(pauseTask(pipeline, UUID, alice), ledger);
      expect(outcome, `pause ${count + 1}`).to.equal('steered');
      ledger = unpause(pipeline, stopped as Ledger, { ...alice, now: LATER });
    }
    expect(take(pauseTask(pipeline, UUID, alice), ledger)).to.deep.equal({
      outcome: 'unheeded',
      ledger,
      detail: `The order was paused ${PAUSES_MAX} times`,
    });
  });

  it('is no part of a saga that does not say how it is announced', () => {
    const { pause: _, ...declaration } = pipeline;
    expect(declaration).not.to.have.property('pause');
    const unpaused = defineSaga(declaration as never) as Saga;
    expect(take(pauseTask(unpaused, UUID, alice), aLedger()).outcome).to.equal('unheeded');
  });
});

describe('A paused order', () => {
  for (const status of underWay) {
    const stopped = paused(aLedgerThatIs(status));

    it(`[anomaly 56] is never too late, however long it stands as ${status}`, () => {
      expect([deadlineOf(pipeline, stopped), stopped.sweepAt]).to.deep.equal([undefined, null]);
      expect(isOverdue(pipeline, stopped, YEAR_LATER)).to.equal(false);
    });

    it(`[anomaly 56] goes on as ${status}, and its stage begins anew`, () => {
      const { outcome, ledger } = take(unpauseTask(pipeline, UUID, alice), stopped, YEAR_LATER);
      expect([outcome, ledger?.status]).to.deep.equal(['steered', status]);
      // Who asks twice, because no answer came, asks for what is so already.
      expect(take(unpauseTask(pipeline, UUID, alice), ledger)).to.deep.equal({
        outcome: 'duplicate',
        ledger,
      });
      expect(ledger?.sweepAt).to.be.greaterThan(YEAR_LATER);
      expect(isOverdue(pipeline, ledger as Ledger, YEAR_LATER)).to.equal(false);
      expect(pipeline.stepsAt(ledger as Ledger)).to.deep.equal(pipeline.stepsAt(aLedgerThatIs(status)));
      expect(readLedger(pipeline, UUID, ledger as Ledger)).to.deep.equal({ ledger });
    });

    it(`[anomaly 56] that stood as ${status} can be canceled, and gives back all that it holds`, () => {
      const wish = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'Changed my mind' };
      const canceled = take(cancelTask(pipeline, UUID, wish), stopped);
      expect([canceled.outcome, canceled.ledger?.status]).to.deep.equal(['accepted', FAILING]);
      const over = take(compensationTask(pipeline, { uuid: UUID }, 'janitor', 900), canceled.ledger);
      expect([over.outcome, over.ledger?.status]).to.deep.equal(['compensated', CANCELED]);
      expect(holdsOf(pipeline, over.ledger as Ledger)).to.deep.equal([]);
      expect(readLedger(pipeline, UUID, over.ledger as Ledger)).to.have.property('ledger');
    });
  }

  it('[anomaly 56] does not grow old meanwhile: the life of the whole order does not pass', () => {
    const shortLived = { ...pipeline, lifetimeSeconds: 1_000 } as Saga;
    const resumed = unpause(shortLived, paused(aLedgerThatIs('RESERVED')), { ...alice, now: YEAR_LATER });
    const begun = aLedgerThatIs('RESERVED').createdAt.getTime();
    const pausedMs = YEAR_LATER.getTime() - LATER.getTime();
    expect(isOverdue(shortLived, resumed, new Date(begun + pausedMs + 999_999))).to.equal(true);
    const stage = { ...resumed, deadlineSeconds: 86_400 };
    expect(isOverdue(shortLived, stage, new Date(begun + pausedMs + 999_999))).to.equal(false);
    expect(isOverdue(shortLived, stage, new Date(begun + pausedMs + 1_000_000))).to.equal(true);
  });

  it('goes through its later steps like any other, and its records say the same', () => {
    const [, , payments] = pipeline.steps;
    const step = (ledger: Ledger) => {
      const learned = learnedBy(payments as never, ledger);
      return advance(pipeline, ledger, { step: 'payments', by: 'payments', learned, now: YEAR_LATER });
    };
    const before = aLedgerThatIs('RESERVED');
    const detour = step(unpause(pipeline, paused(before), { ...alice, now: YEAR_LATER }));
    expect(holdsOf(pipeline, detour)).to.deep.equal(holdsOf(pipeline, step(before)));
  });

  it('can be seen as it stood before, during and after its pause', () => {
    const before = aLedgerThatIs('RESERVED');
    const stopped = paused(before);
    const now = unpause(pipeline, stopped, { ...alice, now: YEAR_LATER });
    expect(ledgerAt(pipeline, now, NOW)).to.deep.equal(before);
    expect(ledgerAt(pipeline, now, LATER)).to.deep.equal(stopped);
    expect(ledgerAt(pipeline, now, YEAR_LATER)).to.equal(now);
  });

  it('is let go on once', () => {
    const ledger = aLedgerThatIs('RESERVED');
    expect(take(unpauseTask(pipeline, UUID, alice), ledger)).to.deep.equal({
      outcome: 'unheeded',
      ledger,
      detail: 'The order is RESERVED, not paused',
    });
  });
});

describe('Skipping a step', () => {
  const skip = (ledger: Ledger, step = 'payments') => take(skipTask(pipeline, UUID, step, alice), ledger);

  for (const [what, ledger] of [
    ['that is next', aLedgerThatIs('RESERVED')],
    ['before which the order is paused', paused(aLedgerThatIs('RESERVED'))],
  ] as const) {
    it(`${what} does not do it: the order learns what stands in for it, and goes on behind it`, () => {
      const { outcome, ledger: behind } = skip(ledger);
      expect([outcome, behind?.status]).to.deep.equal(['steered', 'PAID']);
      expect(behind).to.include({ charged: 0, delivery_cost: 0 });
      expect(lastTransition(behind as Ledger)).to.deep.equal({ at: LATER, status: 'PAID', ...alice });
      expect(readLedger(pipeline, UUID, behind as Ledger)).to.deep.equal({ ledger: behind });
    });
  }

  describe('that takes something of an account all the same', () => {
    const [create, inventory, ...others] = pipeline.steps;
    const lines = [{ item: 'widget', quantity: 2, price_per_unit: 0 }];
    const steps = [create, { ...inventory, standIn: { lines } }, ...others];
    const saga = defineSaga({ ...pipeline, steps } as never) as Saga;
    const ledger = aLedgerThatIs('CREATED');
    const skipWith = async (quantity: number) => {
      const widget = { ...accounts['inventory/widget'], quantity };
      const there = { ...accounts, 'inventory/widget': widget, [ledgerPath(UUID)]: ledger };
      const ports = await recordedPorts(there);
      const [taken] = await takeTurns(saga, 'janitor', [skipTask(saga, UUID, 'inventory', alice)], ports);
      return { taken, ports, left: await readOne(ports.store, 'inventory/widget') };
    };

    it('takes it in the same commit', async () => {
      const { taken, ports, left } = await skipWith(2);
      expect(taken).to.have.nested.property('turn.outcome', 'steered');
      expect(left).to.include({ quantity: 0 });
      expect(ports.journal).to.deep.equal(['commit', 'publish inventory-updated']);
    });

    it('is not done, and nothing is written, if the account has too little left', async () => {
      const { taken, ports } = await skipWith(1);
      const detail = 'item widget has quantity 1, which is less than 2';
      expect(taken).to.deep.equal({ turn: { outcome: 'unheeded', ledger, detail } });
      expect(ports.journal).to.deep.equal([]);
    });
  });

  it('is not possible where nothing stands in for it, or where it is not next', () => {
    for (const [step, ledger, detail] of [
      ['inventory', aLedgerThatIs('CREATED'), "inventory can't be skipped: nothing stands in for it"],
      ['payments', aLedgerThatIs('CREATED'), 'payments is not the next step: the order is CREATED'],
      ['payments', aLedgerThatIs('PAID'), 'payments is not the next step: the order is PAID'],
      ['brewing', aLedgerThatIs('RESERVED'), 'brewing is not the next step: the order is RESERVED'],
      ['payments', aLedgerThatIs('FAILING'), 'The order is FAILING: PAYMENT_ERROR'],
    ] as const) {
      expect(skip(ledger, step)).to.deep.equal({ outcome: 'unheeded', ledger, detail });
    }
  });
});

describe('A pause that comes at the same moment as something else', () => {
  const ledger = aLedgerThatIs('CREATED');
  const [, inventory] = pipeline.steps;
  if (inventory === undefined) throw new Error('The pipeline has too few steps');
  const wish = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'Changed my mind' };
  const settings = { settings: SETTINGS.declared, deadlineSeconds: 900, isEntry: false };
  const others: Readonly<
    Record<string, { task: LedgerTask; after: readonly string[]; before: readonly string[] }>
  > = {
    'a cancel': {
      task: cancelTask(pipeline, UUID, wish),
      after: ['PAUSED', 'FAILING'],
      before: ['FAILING'],
    },
    'the next step': {
      task: stepTask(pipeline, inventory, { uuid: UUID }, settings),
      after: ['PAUSED'],
      before: ['RESERVED', 'PAUSED'],
    },
    'the message of a failure': {
      task: compensationTask(pipeline, { uuid: UUID }, 'janitor', 900),
      after: ['PAUSED'],
      before: ['PAUSED'],
    },
  };

  for (const [what, { task, after, before }] of Object.entries(others)) {
    for (const isFirst of [true, false]) {
      it(`[anomaly 56] is ${isFirst ? 'before' : 'behind'} ${what}: both in one batch, each sees what the other did`, async () => {
        const ports = await recordedPorts({ ...accounts, [ledgerPath(UUID)]: ledger });
        const pausing = pauseTask(pipeline, UUID, alice);
        await takeTurns(pipeline, 'janitor', isFirst ? [pausing, task] : [task, pausing], ports);
        const { history = [] } = (await readOne<Ledger>(ports.store, ledgerPath(UUID))) ?? {};
        const moves = history.slice(ledger.history.length).map(statusIn);
        expect(moves).to.deep.equal(isFirst ? after : before);
      });
    }
  }

  it('[anomaly 56] is held up by no sweep: the deadline of a paused order has no effect', async () => {
    const ports = await recordedPorts({ [ledgerPath(UUID)]: paused(ledger) });
    const later = { ...ports, clock: createManualClock(YEAR_LATER) };
    expect(await sweep(pipeline, later)).to.deep.equal({ announced: 0, failed: 0, errors: 0 });
  });
});
