import { expect } from 'chai';
import { trip } from '../../examples/trip/trip.ts';
import { pipeline as saga } from '../../pipeline.ts';
import { aLedgerThatIs, NOW, UUID } from '../../test/support/builders.ts';
import { advance, complete, fail, type Ledger, pause, receive, tombstone } from '../ledger/ledger.ts';
import { tookOf } from './took.ts';

const failure = { by: 'frontend', reason: 'CANCELED_BY_CUSTOMER', detail: 'No', now: NOW };
const RESERVED = [
  { step: 'order', kind: 'order record', path: `users/jack/orders/${UUID}` },
  { step: 'inventory', kind: 'item', name: 'widget', amount: 2 },
  { step: 'inventory', kind: 'reservation', path: `inventory/widget/orders/${UUID}` },
];

describe('What each step took', () => {
  it('is nothing before one is done', () => {
    expect(tookOf(saga, aLedgerThatIs('RECEIVED'))).to.deep.equal([]);
  });

  it('is what it made the order hold, in the order of the steps', () => {
    expect(tookOf(saga, aLedgerThatIs('RESERVED'))).to.deep.equal(RESERVED);
    // Jack has no limit, so nothing was taken from his credit.
    expect(tookOf(saga, aLedgerThatIs('PAID'))).to.deep.equal([
      ...RESERVED,
      { step: 'payments', kind: 'invoice', path: `payments/${UUID}` },
    ]);
  });

  it('[anomaly 13] is still known while it is given back, and afterwards', () => {
    const failing = fail(saga, aLedgerThatIs('RESERVED'), failure);
    expect(tookOf(saga, failing)).to.deep.equal(RESERVED);
    expect(tookOf(saga, complete(saga, failing, 'janitor', NOW))).to.deep.equal(RESERVED);
    const paused = pause(saga, aLedgerThatIs('RESERVED'), { by: 'janitor', now: NOW });
    expect(tookOf(saga, complete(saga, fail(saga, paused, failure), 'janitor', NOW))).to.deep.equal(RESERVED);
  });

  it('is nothing of an order that never came', () => {
    const unknown = { by: 'janitor', reason: 'PAYMENT_ERROR', detail: 'Nobody knew it', now: NOW };
    expect(tookOf(saga, tombstone(saga, UUID, unknown, 900))).to.deep.equal([]);
  });

  it('names steps that run beside one another in the order in which they were done', () => {
    const order = { traveler: 'ann', flight: 'LH1', hotel: 'Ritz', car: 'small', seats: 3 };
    const step = (ledger: Ledger, name: string, learned: object) =>
      advance(trip, ledger, { step: name, by: name, learned, now: NOW });
    const lodged = step(receive(trip, UUID, order, 'flight', NOW, 900), 'hotel', { hotel_rooms: 2 });
    const seated = step(lodged, 'flight', {});
    const failing = fail(trip, seated, { ...failure, by: 'car', reason: 'NO_SUCH_CAR' });
    expect(tookOf(trip, complete(trip, failing, 'janitor', NOW))).to.deep.equal([
      { step: 'hotel', kind: 'hotel', name: 'Ritz', amount: 2 },
      { step: 'hotel', kind: 'car park', name: 'Ritz', amount: 1 },
      { step: 'flight', kind: 'flight', name: 'LH1', amount: 3 },
      { step: 'flight', kind: 'ticket', path: `flights/LH1/tickets/${UUID}` },
    ]);
  });
});
