import { z } from 'zod';
import { moment } from '../saga/http/answers.ts';
import { assertMayAct } from '../saga/http/caller.ts';
import { documentRoute } from '../saga/http/document-route.ts';
import { notFound, type Route, route } from '../saga/http/http.ts';
import { nameSchema } from '../saga/input/name.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { customers } from '../shop/customers.ts';
import { deliveryCost, type Tariff } from '../shop/delivery-cost.ts';
import { money } from '../shop/lines.ts';
import { parcels } from './parcels.ts';

export const deliveryRoutes = (store: Store, tariff: Tariff): readonly Route[] => [
  // Before the route of parcels, which would take "estimate" for the uuid of one.
  route({
    method: 'GET',
    path: '/deliveries/estimate',
    summary: 'What a delivery to a customer would cost now',
    query: z.strictObject({ user: nameSchema }),
    answer: z.object({ user: nameSchema, delivery_cost: money }),
    responses: { 200: 'The cost, in minor units', 404: 'No such customer' },
    audience: 'customers',
    async handle({ query: { user }, caller }) {
      assertMayAct(caller, user);
      const customer = await readOne(store, customers.of(user).path);
      if (customer === undefined) throw notFound(`There is no user ${user}`);
      return { status: 200, body: { user, delivery_cost: deliveryCost(customer.location, tariff) } };
    },
  }),
  documentRoute(store, parcels, {
    summary: 'The parcel of an order',
    ownedBy: 'user',
    responses: { 200: 'The parcel', 404: 'No parcel: the order has not come so far, or was canceled' },
    shows: {
      user: nameSchema,
      address: z.string(),
      items: z.array(z.object({ item: nameSchema, quantity: z.int().min(1) })).readonly(),
      delivery_cost: money,
      createdAt: moment,
    },
  }),
];
