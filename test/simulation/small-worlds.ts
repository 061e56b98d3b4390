import { pipeline } from '../../pipeline.ts';
import { serviceNames } from '../../saga/deliver/service.ts';
import type { Order } from '../../shop/order.ts';
import type { SmallWorld } from '../../test-kit/simulation/explore-world.ts';
import type { Fault, Plan, PlannedOrder } from '../../test-kit/simulation/plan.ts';

const anOrder = (name: string, fields: Partial<Order> = {}): PlannedOrder => ({
  name,
  atMs: 0,
  via: 'topic',
  order: { user: 'jill', items: [{ item: 'widget', quantity: 1 }], ...fields } satisfies Order,
});

const SERVICE_NAMES = serviceNames(pipeline);
const single = Object.fromEntries(SERVICE_NAMES.map((name) => [name, 1]));

/** One unit, and credit for one order: whoever comes second is refused and compensated. */
const aPlan = (
  orders: readonly PlannedOrder[],
  faults: readonly Fault[],
  fields: Partial<Plan> = {},
): Plan => ({
  seed: 0,
  deadlineSeconds: 900,
  swept: false,
  instances: single,
  data: {
    inventory: { widget: { quantity: 1, price_per_unit: 5 } },
    users: { jill: { address: 'here', credit: 7 } },
  },
  orders,
  faults,
  ...fields,
});

const one = [anOrder('o0')];
const two = [anOrder('o0'), anOrder('o1')];
const refused = [anOrder('o0', { paymentError: 'true' })];
const twice = (subscription: string): Fault => ({ kind: 'duplicate', subscription, nth: 1, seconds: 0 });
const canceled: Fault = { kind: 'cancel', order: 'o0', atMs: 0 };
const overtaken: Fault = { kind: 'forged', topic: 'error', order: 'o0', atMs: 0 };
const tooEarly: Fault = { kind: 'forged', topic: 'inventory-updated', order: 'o0', atMs: 0 };
/** With this sweep the clock jumps beyond every deadline. */
const overdue: Fault = { kind: 'sweep', atMs: 1_000_000 };
const couple = (service: string): Partial<Plan> => ({ instances: { ...single, [service]: 2 } });
/** Not the frontend: what it leaves unpublished, only the sweeper finds. */
const every = SERVICE_NAMES.filter((name) => name !== 'frontend').map((name) => `${name}#0`);

/** Worlds of which every way is gone in the tests. */
export const smallWorlds = {
  twoOrders: { name: 'two orders for one unit', plan: aPlan(two, []) },
  twoReservers: { name: 'two orders, two processes that reserve', plan: aPlan(two, [], couple('inventory')) },
  createdTwice: {
    name: 'two orders, one of them delivered twice',
    plan: aPlan(two, [twice('frontend-sub')]),
  },
  reservedTwice: {
    name: 'one order, delivered twice to two processes that reserve',
    plan: aPlan(one, [twice('order-created-sub')], couple('inventory')),
  },
  failedTwice: { name: 'two orders, one failure delivered twice', plan: aPlan(two, [twice('error-sub')]) },
  overtakenByFailure: { name: 'two orders, one overtaken by its failure', plan: aPlan(two, [overtaken]) },
  overtakenByItself: {
    name: 'two orders, one overtaken by its own third message',
    plan: aPlan(two, [tooEarly]),
  },
  canceled: { name: 'two orders, one canceled by its customer', plan: aPlan(two, [canceled]) },
  overdue: { name: 'one order, and a sweep after its deadline', plan: aPlan(one, [overdue]) },
  crash: { name: 'two orders, one crash', plan: aPlan(two, []), mayCrash: every },
  canceledCrash: {
    name: 'one order that is canceled, one crash',
    plan: aPlan(one, [canceled]),
    mayCrash: every,
  },
  refusedCrash: {
    name: 'one order whose payment is refused, one crash',
    plan: aPlan(refused, []),
    mayCrash: every,
  },
} as const satisfies Record<string, SmallWorld>;

/** Worlds for those who have a few minutes. */
export const largerWorlds: readonly SmallWorld[] = [
  {
    name: 'two orders, one overtaken by its failure, one crash',
    plan: aPlan(two, [overtaken]),
    mayCrash: every,
  },
  { name: 'two orders, one canceled, one crash', plan: aPlan(two, [canceled]), mayCrash: every },
  {
    name: 'two orders, one canceled, one delivered twice',
    plan: aPlan(two, [canceled, twice('order-created-sub')]),
  },
];
