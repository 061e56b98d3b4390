import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { step } from '../../shop/step.ts';
import { aLedgerThatIs, documentsOf, LATER, UUID } from '../../test/support/builders.ts';
import { aLedgerOfThree, shopOfThree } from '../../test/support/shop-of-three.ts';
import { CANCELED_BY_OPERATOR, fail, isFailed, type Ledger, pause, resume } from '../ledger/ledger.ts';
import { defineSaga, type Saga } from '../step/saga.ts';
import { accept } from '../step/step.ts';
import { cancelTask } from './cancel.ts';

const wish = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'Changed my mind' };
const cancel = (ledger: Ledger | undefined, by: Partial<typeof wish> = {}) =>
  cancelTask(pipeline, UUID, { ...wish, ...by }).take(ledger, documentsOf({}), LATER);

describe('Canceling an order', () => {
  for (const status of pipeline.statuses) {
    const ledger = aLedgerThatIs(status);
    if (isFailed(ledger)) {
      it(`[anomaly 30] that is ${status} changes nothing`, () => {
        expect(cancel(ledger)).to.deep.equal({ outcome: 'duplicate', ledger });
      });
    } else if (status === 'DELIVERED') {
      it('[anomaly 30] that is DELIVERED is not possible: nothing leaves that end', () => {
        const detail = 'The order is DELIVERED, and that is final';
        expect(cancel(ledger)).to.deep.equal({ outcome: 'unheeded', ledger, detail });
      });
    } else {
      it(`[anomaly 29] that is ${status} makes it fail, so that the janitor gives back what it holds`, () => {
        expect(cancel(ledger)).to.deep.equal({
          outcome: 'accepted',
          ledger: fail(pipeline, ledger, { ...wish, now: LATER }),
          detail: 'Changed my mind',
        });
      });
    }
  }

  it('[anomaly 47] whose last step has heard the word that leads there is not possible, however long the step takes', () => {
    const underWay = aLedgerThatIs('DELIVERING');
    const heard = resume(pipeline, underWay, { word: { word: 'delivered' }, by: 'delivery', now: LATER });
    const stopped = pause(pipeline, heard, { by: 'janitor', note: 'A bad release', now: LATER });
    expect(cancel(underWay).outcome).to.equal('accepted');
    for (const ledger of [heard, stopped]) {
      const detail = 'The order has heard "delivered", and that is final';
      expect(cancel(ledger)).to.deep.equal({ outcome: 'unheeded', ledger, detail });
    }
  });

  it('[anomaly 29] that has come to an end which is not final gives back what it holds all the same', () => {
    const paid = aLedgerOfThree('PAID');
    expect(paid.sweepAt).to.equal(null);
    expect(cancelTask(shopOfThree, UUID, wish).take(paid, documentsOf({}), LATER)).to.include({
      outcome: 'accepted',
    });
  });

  it('[anomaly 52] that ended before another step was put behind its last one is not possible either', () => {
    const delivered = aLedgerThatIs('DELIVERED');
    const thank = step({
      name: 'thanks',
      leadsTo: 'THANKED',
      announces: 'order-thanked',
      says: 'the customer has a letter of thanks',
      uses: [],
      reads: () => [],
      decide: () => accept({}),
      holds: () => [],
    });
    const longer = defineSaga({ ...pipeline, steps: [...pipeline.steps, thank] } as never) as Saga;
    expect(cancelTask(longer, UUID, wish).take(delivered, documentsOf({}), LATER).outcome).to.equal(
      'unheeded',
    );
    expect([pipeline, longer].map((saga) => saga.isFinal('DELIVERED'))).to.deep.equal([true, false]);
    const onItsWay = { ...delivered, sweepAt: LATER };
    expect(cancelTask(longer, UUID, wish).take(onItsWay, documentsOf({}), LATER).outcome).to.equal(
      'accepted',
    );
  });

  it('says whose wish it was', () => {
    const operator = { by: 'ann', reason: CANCELED_BY_OPERATOR };
    const ledger = aLedgerThatIs('RESERVED');
    expect(cancel(ledger, operator).ledger).to.deep.equal(
      fail(pipeline, ledger, { ...operator, detail: 'Changed my mind', now: LATER }),
    );
  });

  it('[anomaly 30] that nobody knows does nothing', () => {
    expect(cancel(undefined)).to.deep.equal({ outcome: 'ignored' });
  });
});
