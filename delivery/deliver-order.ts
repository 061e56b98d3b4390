import { z } from 'zod';
import { wholeNumber } from '../saga/step/settings.ts';
import { accept, refuse, wait } from '../saga/step/step.ts';
import { customers } from '../shop/customers.ts';
import { tariff } from '../shop/delivery-cost.ts';
import { money, pricedLines } from '../shop/lines.ts';
import { sales } from '../shop/sales.ts';
import { step } from '../shop/step.ts';
import { parcels } from './parcels.ts';
import { deliveryRoutes } from './routes.ts';

const DAY_SECONDS = 86_400;

/** The units leave the stock for good, and a courier says what becomes of the parcel. */
export const deliverOrder = step({
  name: 'delivery',
  leadsTo: 'DELIVERED',
  announces: 'order-delivered',
  says: 'the parcel has arrived',
  isFinal: true,
  refusals: ['DELIVERY_CANCELED'],
  uses: [customers, sales, parcels],
  needs: { lines: pricedLines, delivery_cost: money },
  settings: {
    ...tariff,
    /** How long a courier may be silent before people are shown the order. */
    COURIER_DAYS: wholeNumber(1, 30).prefault('14'),
  },
  routes: deliveryRoutes,

  waits: {
    as: 'DELIVERING',
    announces: 'delivery-started',
    says: 'the parcel is under way',
    learns: { address: z.string() },
    words: { delivered: {}, canceled: {} },
    afterwards: 'show',
    path: 'deliveries/{uuid}',
    audience: 'operators',
    listensTo: { topic: 'delivery-updates', says: 'a courier says what became of a parcel' },
    holds: ({ uuid, user, address, lines, delivery_cost, at }) => [
      ...lines.map(({ item, quantity }) => sales.of(item).amount(-quantity)),
      parcels.of(uuid).holding({
        user,
        address,
        items: lines.map(({ item, quantity }) => ({ item, quantity })),
        delivery_cost,
        createdAt: at,
      }),
    ],
  },

  reads: ({ user, items }) => [customers.of(user), ...items.map(({ item }) => sales.of(item))],

  decide({ user, word }, read, { COURIER_DAYS }) {
    if (word === undefined) {
      const { address } = read(customers.of(user));
      return wait(COURIER_DAYS * DAY_SECONDS, { address });
    }
    if (word.word === 'canceled') return refuse('DELIVERY_CANCELED', 'The courier has given the parcel back');
    return accept({});
  },
});
