import { expect } from 'chai';
import { aLedger, learnedBy, NOW } from '../../test/support/builders.ts';
import { shopOfThree as saga } from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { announcedAgain } from './deadline.ts';
import { advance, complete, fail, type Ledger } from './ledger.ts';
import { ledgerAt } from './ledger-at.ts';
import { readLedger } from './read-ledger.ts';

/** A second after another, so that each transition has a moment of its own. */
const second = (count: number) => new Date(NOW.getTime() + 1000 * count);

/** The ledgers of an order that passes so many steps, fails and is canceled, each a second after the one before. */
function lifeOf(stepCount: number): Ledger[] {
  const life: Ledger[] = [aLedger()];
  const goOn = (next: (ledger: Ledger, now: Date) => Ledger) =>
    life.push(deepFreeze(next(life.at(-1) as Ledger, second(life.length))));
  for (const step of saga.steps.slice(0, stepCount)) {
    goOn((ledger, now) => {
      const learned = learnedBy(step, ledger);
      return advance(saga, ledger, { step: step.name, by: step.name, learned, now });
    });
  }
  goOn((ledger, now) =>
    fail(saga, ledger, { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now }),
  );
  goOn((ledger, now) => complete(saga, ledger, 'janitor', now));
  return life;
}

/** Without what no transition tells: when a sweep was planned, but whether one was; when the ledger may be deleted. */
const told = ({ sweepAt, expireAt: _, ...rest }: Ledger) => ({ ...rest, rests: sweepAt === null });

describe('A ledger at a moment', () => {
  for (let stepCount = 0; stepCount <= saga.steps.length; stepCount++) {
    it(`is what it was at that moment, although the order failed after ${stepCount} steps`, () => {
      const life = lifeOf(stepCount);
      const now = life.at(-1) as Ledger;
      for (const [count, then] of life.entries()) {
        for (const moment of [second(count), second(count + 0.999)]) {
          const past = ledgerAt(saga, now, moment) as Ledger;
          expect(told(past), then.status).to.deep.equal(told(then));
          expect(readLedger(saga, past.uuid, past), then.status).to.deep.equal({ ledger: past });
        }
      }
    });
  }

  it('is none before the order came, and the ledger itself from its last transition on', () => {
    const ledger = announcedAgain(saga, aLedger(), second(40));
    expect(ledgerAt(saga, ledger, new Date(NOW.getTime() - 1))).to.equal(undefined);
    expect(ledgerAt(saga, ledger, NOW)).to.equal(ledger);
    expect(ledgerAt(saga, ledger, new Date('9999-12-31T23:59:59Z'))).to.equal(ledger);
  });

  it('has not been announced again as often as the ledger that stands now', () => {
    const [received, created] = lifeOf(1) as [Ledger, Ledger];
    const ledger = announcedAgain(saga, created, second(40));
    expect(told(ledgerAt(saga, ledger, NOW) as Ledger)).to.deep.equal(told(received));
  });
});
