import type { SmallWorld } from './explorer.ts';
import type { Fault, Plan, PlannedOrder, ServiceName } from './plan.ts';

const anOrder = (name: string, fields: Partial<PlannedOrder> = {}): PlannedOrder => ({
  name,
  atMs: 0,
  via: 'topic',
  user: 'jill',
  items: [{ item: 'widget', quantity: 1 }],
  paymentError: false,
  ...fields,
});

const single = { frontend: 1, order: 1, inventory: 1, payments: 1, janitor: 1 };

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
  items: { widget: { quantity: 1, price_per_unit: 5 } },
  users: { jill: { credit: 7 } },
  orders,
  faults,
  ...fields,
});

const one = [anOrder('o0')];
const two = [anOrder('o0'), anOrder('o1')];
const refused = [anOrder('o0', { paymentError: true })];
const twice = (subscription: string): Fault => ({ kind: 'duplicate', subscription, nth: 1, seconds: 0 });
const canceled: Fault = { kind: 'cancel', order: 'o0', atMs: 0 };
const overtaken: Fault = { kind: 'forged', topic: 'error', order: 'o0', atMs: 0 };
const tooEarly: Fault = { kind: 'forged', topic: 'inventory-updated', order: 'o0', atMs: 0 };
/** With this sweep the clock jumps beyond every deadline. */
const overdue: Fault = { kind: 'sweep', atMs: 1_000_000 };
const couple = (service: ServiceName): Partial<Plan> => ({ instances: { ...single, [service]: 2 } });
/** Not the frontend: what it leaves unpublished, only the sweeper finds. */
const every = ['order#0', 'inventory#0', 'payments#0', 'janitor#0'];

/** Worlds of which every way is gone in the tests. */
export const smallWorlds: readonly SmallWorld[] = [
  { name: '[anomaly 15] two orders for one unit', plan: aPlan(two, []) },
  {
    name: '[anomalies 3, 14] two orders, two processes that reserve',
    plan: aPlan(two, [], couple('inventory')),
  },
  {
    name: '[anomaly 1] two orders, one of their creations delivered twice',
    plan: aPlan(two, [twice('frontend-sub')]),
  },
  {
    name: '[anomaly 3] one order, delivered twice to two processes that reserve',
    plan: aPlan(one, [twice('order-created-sub')], couple('inventory')),
  },
  { name: '[anomaly 6] two orders, one failure delivered twice', plan: aPlan(two, [twice('error-sub')]) },
  { name: '[anomalies 5, 7, 8] two orders, one overtaken by its failure', plan: aPlan(two, [overtaken]) },
  { name: '[anomaly 4] two orders, one overtaken by its second message', plan: aPlan(two, [tooEarly]) },
  { name: '[anomaly 29] two orders, one canceled by its customer', plan: aPlan(two, [canceled]) },
  { name: '[anomalies 27, 28] an order, and a sweep after its deadline', plan: aPlan(one, [overdue]) },
  {
    name: '[anomaly 29] an order that is canceled, one crash',
    plan: aPlan(one, [canceled]),
    mayCrash: every,
  },
  { name: '[anomalies 18, 20] two orders, one crash', plan: aPlan(two, []), mayCrash: every },
  {
    name: '[anomaly 11] an order whose payment is refused, one crash',
    plan: aPlan(refused, []),
    mayCrash: every,
  },
];

/** Worlds for those who have a few minutes. */
export const largerWorlds: readonly SmallWorld[] = [
  {
    name: 'two orders, one overtaken by its failure, one crash',
    plan: aPlan(two, [overtaken]),
    mayCrash: every,
  },
  {
    name: 'two orders, one canceled, one delivered twice',
    plan: aPlan(two, [canceled, twice('order-created-sub')]),
  },
  { name: 'one order, canceled, and a sweep after its deadline', plan: aPlan(one, [canceled, overdue]) },
  { name: 'three orders for one unit', plan: aPlan([...two, anOrder('o2')], []) },
];
