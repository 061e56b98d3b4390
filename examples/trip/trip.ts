import type { OrderKind } from 'order-saga';
import { accept, account, defineSaga, inputFaults, janitor, nameSchema, record, stepsFor } from 'order-saga';
import { z } from 'zod';

/**
 * A trip: seats on a flight, hotel rooms with a place for the car, and the car. All of it is booked, or nothing is. Each step says
 * what the trip holds because of it; no step says how a booking is undone.
 */

const orderSchema = z.object({
  traveler: nameSchema,
  flight: nameSchema,
  hotel: nameSchema,
  car: nameSchema,
  seats: z.int().min(1).max(9),
});
type Trip = z.infer<typeof orderSchema>;

const trips: OrderKind<Trip> = {
  schema: orderSchema,
  listedBy: ['traveler'],
  parse(body) {
    const parsed = orderSchema.safeParse(body, { reportInput: true });
    return parsed.success ? { order: parsed.data } : { faults: inputFaults(parsed.error) };
  },
  shows: (ledger) =>
    Object.fromEntries(Object.entries(ledger).filter(([field]) => field in orderSchema.shape)),
};

const step = stepsFor<Trip>();
const count = z.int().min(1);

/** Something to book: how much of it is free, and how much there is in all. */
const bookable = <const Path extends string, const Missing extends string, const Shortage extends string>(
  [name, path]: [string, Path],
  missing: Missing,
  shortage: Shortage,
) => account({ name, path, balance: 'free', whole: 'in_all', fields: {}, missing, shortage });

const flights = bookable(['flight', 'flights/{flight}'], 'NO_SUCH_FLIGHT', 'FLIGHT_FULL');
const rooms = bookable(['hotel', 'hotels/{hotel}'], 'NO_SUCH_HOTEL', 'HOTEL_FULL');
const parking = bookable(['car park', 'parking/{hotel}'], 'NO_PARKING', 'PARKING_FULL');
const cars = account({
  name: 'kind of car',
  path: 'cars/{car}',
  balance: 'free',
  whole: 'fleet',
  fields: { per_day: z.int().min(0) },
  missing: 'NO_SUCH_CAR',
  shortage: 'NO_CAR_LEFT',
});
const tickets = record({
  name: 'ticket',
  path: 'flights/{flight}/tickets/{uuid}',
  schema: z.object({ traveler: z.string(), seats: count }),
});
const contracts = record({
  name: 'rental contract',
  path: 'contracts/{uuid}',
  schema: z.object({ traveler: z.string(), car: z.string(), per_day: z.int() }),
});

const bookFlight = step({
  name: 'flight',
  leadsTo: 'SEATED',
  announces: 'seats-booked',
  says: 'the seats are booked',
  uses: [flights, tickets],
  reads: ({ flight }) => [flights.of(flight)],
  decide: () => accept({}),
  holds: ({ uuid, flight, traveler, seats }) => [
    flights.of(flight).amount(seats),
    tickets.of(flight, uuid).holding({ traveler, seats }),
  ],
});

/** Two accounts in one step: a room without a place for the car is of no use. */
const bookHotel = step({
  name: 'hotel',
  leadsTo: 'LODGED',
  announces: 'room-booked',
  says: 'a room and a place for the car are booked',
  uses: [rooms, parking],
  learns: { hotel_rooms: count },
  reads: ({ hotel }) => [rooms.of(hotel), parking.of(hotel)],
  // Two travelers share a room.
  decide: ({ seats }) => accept({ hotel_rooms: Math.ceil(seats / 2) }),
  holds: ({ hotel, hotel_rooms }) => [rooms.of(hotel).amount(hotel_rooms), parking.of(hotel).amount(1)],
});

const rentCar = step({
  name: 'car',
  leadsTo: 'BOOKED',
  announces: 'trip-booked',
  says: 'the car is rented, and the trip is booked',
  uses: [cars, contracts],
  learns: { per_day: z.int().min(0) },
  reads: ({ car }) => [cars.of(car)],
  decide: ({ car }, read) => accept({ per_day: read(cars.of(car)).per_day }),
  holds: ({ uuid, traveler, car, per_day }) => [
    cars.of(car).amount(1),
    contracts.of(uuid).holding({ traveler, car, per_day }),
  ],
});

/** What there is before the first trip. */
export const DATA = {
  flights: { LH1: { free: 5 } },
  hotels: { Ritz: { free: 2 } },
  parking: { Ritz: { free: 2 } },
  cars: { small: { free: 3, per_day: 4000 } },
};

export const trip = defineSaga({
  name: 'trip',
  order: trips,
  entry: { topic: 'trip-wanted', says: 'somebody wants to travel' },
  // Neither the flight nor the hotel needs the other. The car does: without both there is no trip.
  steps: [[bookFlight, bookHotel], rentCar],
  pause: { topic: 'trip-paused', says: 'an operator has stopped a trip before its next step' },
  failure: { topic: 'trip-failed', says: 'a step refused the trip, or it took too long' },
  end: { topic: 'trip-canceled', says: 'the trip is canceled and holds nothing any more' },
  reasons: ['MALFORMED_TRIP'],
  unknownReason: 'MALFORMED_TRIP',
  services: [janitor],
  subscriptions: {},
});
