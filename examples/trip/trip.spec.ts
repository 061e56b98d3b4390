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

/** What may become of the flight and the hotel, which are booked beside one another. */
const worlds = {
  'both are booked': { orders: [order] },
  'one process dies, wherever it stands': { orders: [order], mayCrash: true },
  'the hotel refuses while the flight is booked': { orders: [{ ...order, hotel: 'Grand' }] },
  'the hotel refuses, and one process dies': { orders: [{ ...order, hotel: 'Grand' }], mayCrash: true },
  'both refuse': { orders: [{ ...order, flight: 'LH2', hotel: 'Grand' }] },
  'the car refuses when both are booked': { orders: [{ ...order, car: 'none' }] },
  'a sweep comes after the deadline': {
    orders: [order],
    faults: [{ kind: 'sweep', atMs: 1_000_000 } as const],
  },
  'the first message comes twice': {
    orders: [order],
    faults: [{ kind: 'duplicate', subscription: 'trip-wanted-hotel-sub', nth: 1, seconds: 0 } as const],
  },
};
/** Of two that come at once, there are seats for one only. */
const two = { orders: [order, order] };
/** Two of them can go in very many ways. */
const STATES_MAX = 1_000;

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

  it('is booked as a whole or not at all in simulated worlds', async () => {
    const { failure } = await simulate(trips, { seeds: 30 });
    if (failure) throw new Error(failure.report);
  }).timeout(60_000);

  for (const [name, world] of Object.entries(worlds)) {
    it(`[anomaly 51] holds all or nothing in every way that it can go: ${name}`, async () => {
      const { fault, isPartial, interleavingCount } = await explore(trips, world);
      expect(fault?.sentence).to.equal(undefined);
      expect([isPartial, interleavingCount > 20n]).to.deep.equal([false, true]);
    }).timeout(60_000);
  }

  it('leaves the last seats to one of two', async () => {
    const { fault } = await explore(trips, two, { statesMax: STATES_MAX });
    expect(fault?.sentence).to.equal(undefined);
  }).timeout(60_000);

  it('would not be if the kernel lacked any of its guards', async () => {
    expect(await missedGuards(trips)).to.deep.equal([]);
  }).timeout(60_000);

  it('[anomaly 51] would keep half of itself if a branch were believed after the compensation', async () => {
    const [refused] = [worlds['the hotel refuses while the flight is booked']];
    const withoutFence = await explore(trips, refused, { without: 'fence' });
    expect(withoutFence.fault?.sentence).to.match(/went from (FAILING|CANCELED)/);
    const withoutVersions = await explore(trips, worlds['both are booked'], { without: 'version guard' });
    expect(withoutVersions.fault?.sentence).to.match(/forgot a part of its history/);
  });
});
