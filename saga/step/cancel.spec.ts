import { expect } from 'chai';
import { aSagaThatIs, documentsOf, LATER, UUID } from '../../test/support/builders.ts';
import { fail, type Saga } from '../ledger/ledger.ts';
import { cancelTask } from './cancel.ts';

const cancel = (saga: Saga | undefined) =>
  cancelTask(UUID, 'frontend', 'Changed my mind').take(saga, documentsOf({}), LATER);

describe('Canceling an order', () => {
  for (const status of ['RECEIVED', 'CREATED', 'RESERVED', 'PAID'] as const) {
    it(`[anomaly 29] that is ${status} makes it fail, so that the janitor takes back what was done`, () => {
      const saga = aSagaThatIs(status);
      expect(cancel(saga)).to.deep.equal({
        outcome: 'accepted',
        writes: [],
        saga: fail(saga, 'frontend', 'CANCELED_BY_CUSTOMER', 'Changed my mind', LATER),
        detail: 'Changed my mind',
      });
    });
  }

  for (const status of ['FAILING', 'CANCELED'] as const) {
    it(`[anomaly 30] that is ${status} changes nothing`, () => {
      const saga = aSagaThatIs(status);
      expect(cancel(saga)).to.deep.equal({ outcome: 'duplicate', writes: [], saga });
    });
  }

  it('[anomaly 30] that nobody knows does nothing', () => {
    expect(cancel(undefined)).to.deep.equal({ outcome: 'ignored', writes: [] });
  });
});
