import { expect } from 'chai';
import { explore, missedGuards, outcomeOf, type Subject, simulate, whenCanceled } from 'order-saga/test-kit';
import { DATA, trip } from './trip.ts';

const order = { traveler: 'ann', flight: 'LH1', hotel: 'Ritz', car: 'small', seats: 3 };
const hotel = (rooms: number, places: number) => ({
  'hotels/Ritz': { free: rooms, in_all: 5 },
  'parking/Ritz': { free: places, in_all: 2 },
});
const trips: Subject = {
  saga: trip,
  data: DATA,
  anOrder: (dice) => ({ ...order, car: dice.oneOf(['small', 'small', 'none']), seats: dice.whole(1, 3) }),
};

/** Of two that come at once, there are seats for one only. */
const two = { orders: [order, order], instances: { flight: 2 } };

describe('A trip', () => {
  it('books a room for every two travelers, and one place for the car', () => {
    expect(outcomeOf(trip, 'hotel', { order, documents: hotel(5, 2) })).to.deep.equal({
      accepted: { hotel_rooms: 2 },
      changes: hotel(3, 1),
    });
  });

  it('gives all of it back when it is canceled', () => {
    const documents = { ...hotel(3, 1), 'flights/LH1': { free: 0, in_all: 3 } };
    const given = { order, documents, learned: { hotel_rooms: 2 }, status: 'LODGED' };
    expect(whenCanceled(trip, given)).to.deep.equal({
      ...hotel(5, 2),
      'flights/LH1': { free: 3, in_all: 3 },
      'flights/LH1/tickets/11111111-1111-4111-8111-111111111111': undefined,
    });
  });

  it('is booked as a whole or not at all in simulated worlds, and in every way two of them can go', async () => {
    const { failure } = await simulate(trips, { seeds: 200 });
    if (failure) throw new Error(failure.report);
    expect((await explore(trips, two)).fault?.sentence).to.equal(undefined);
  }).timeout(60_000);

  it('would not be if the kernel lacked any of its guards', async () => {
    expect(await missedGuards(trips)).to.deep.equal([]);
    expect((await explore(trips, two, { without: 'version guard' })).fault?.sentence).to.match(/hold 6/);
  });
});
