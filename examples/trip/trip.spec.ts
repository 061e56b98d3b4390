import { expect } from 'chai';
import { outcomeOf, whenCanceled } from 'order-saga/test-kit';
import { trip } from './trip.ts';

const order = { traveler: 'ann', flight: 'LH1', hotel: 'Ritz', car: 'small', seats: 3 };
const hotel = (rooms: number, places: number) => ({
  'hotels/Ritz': { free: rooms, in_all: 5 },
  'parking/Ritz': { free: places, in_all: 2 },
});

describe('A trip', () => {
  it('books a room for every two travelers, and one place for the car', () => {
    expect(outcomeOf(trip, 'hotel', { order, documents: hotel(5, 2) })).to.deep.equal({
      accepted: { hotel_rooms: 2 },
      changes: hotel(3, 1),
    });
  });

  it('takes no room where there is no place for the car', () => {
    expect(outcomeOf(trip, 'hotel', { order, documents: hotel(5, 0) })).to.deep.include({
      refused: 'PARKING_FULL',
    });
  });

  it('does nothing for a trip that is canceled', () => {
    expect(outcomeOf(trip, 'hotel', { order, status: 'CANCELED' })).to.deep.equal({ nothing: 'fenced' });
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
});
