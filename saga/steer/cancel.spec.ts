import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedgerThatIs, documentsOf, LATER, UUID } from '../../test/support/builders.ts';
import { CANCELED_BY_OPERATOR, fail, isFailed, type Ledger } from '../ledger/ledger.ts';
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
