import { accept } from '../saga/step/step.ts';
import { customers } from '../shop/customers.ts';
import { customersRoutes } from '../shop/customers-routes.ts';
import { eraseCustomerRoute } from '../shop/erase-customer-route.ts';
import { step } from '../shop/step.ts';
import { orderRecords } from './order-records.ts';

/** The customer exists, and gets a record of the order. */
export const createOrder = step({
  name: 'order',
  leadsTo: 'CREATED',
  announces: 'order-created',
  says: 'the order record exists',
  uses: [customers, orderRecords],
  routes: (store, _settings, ports, saga) => [
    ...customersRoutes(store),
    eraseCustomerRoute(saga, ports, 'order'),
  ],

  reads: ({ user }) => [customers.of(user)],

  decide: () => accept({}),

  holds: ({ uuid, user, items, paymentError, at }) => [
    orderRecords.of(user, uuid).holding({
      items,
      ...(paymentError !== undefined && { paymentError }),
      createdAt: at,
    }),
  ],
});
