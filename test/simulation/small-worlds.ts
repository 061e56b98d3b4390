import { pipeline, type Topic } from '../../pipeline.ts';
import type { Order } from '../../shop/order.ts';
import type { SmallWorld } from '../../test-kit/simulation/explore-world.ts';
import type { Fault } from '../../test-kit/simulation/plan.ts';
import { type SmallWorldDeclaration, smallWorld } from '../../test-kit/simulation/small-world.ts';
import type { Data } from '../../test-kit/simulation/subject.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { shop } from './shop.ts';

const anOrder = (fields: Partial<Order> = {}): Order => ({
  user: 'jill',
  items: [{ item: 'widget', quantity: 1 }],
  ...fields,
});

/** One unit, and credit for one order: whoever comes second is refused and compensated. */
const counted = {
  inventory: { widget: { quantity: 1, price_per_unit: 5 } },
  users: { jill: { address: 'here', credit: 7 } },
};
const data = withFurtherAccounts(counted, pipeline, plenty) as Data;
const small = (
  name: string,
  orders: readonly Order[],
  faults: readonly Fault[] = [],
  more: Partial<SmallWorldDeclaration> = {},
): SmallWorld =>
  smallWorld(shop, {
    ...{ name, data, orders, faults, ...more },
    // It is off, and would only multiply the ways in which these worlds can go.
    instances: { notifier: 0, ...more.instances },
  });

const one = [anOrder()];
const two = [anOrder(), anOrder()];
const orchestrated = [anOrder({ mode: 'orchestration' })];
const mixed = [...one, ...orchestrated];
const refused = [anOrder({ paymentError: 'true' })];
const twice = (subscription: string): Fault => ({ kind: 'duplicate', subscription, nth: 1, seconds: 0 });
const canceled: Fault = { kind: 'cancel', order: 'o0', atMs: 0 };
const pausing: Fault = { kind: 'deed', deed: 'pause', order: 'o0', atMs: 0 };
const forged = (topic: Topic | 'workflow'): Fault => ({ kind: 'forged', topic, order: 'o0', atMs: 0 });
const overtaken = forged('error');
const tooEarly = forged('inventory-updated');
/** With this sweep the clock jumps beyond every deadline. */
const overdue: Fault = { kind: 'sweep', atMs: 1_000_000 };
const reservers = { instances: { inventory: 2 } };
const mayCrash = { mayCrash: true };
const frontendMayCrash = { mayCrash: ['frontend'], swept: true };
const posted = { via: 'post', ...frontendMayCrash };
/** With an idempotency key, customers may safely order again. */
const insisting = { via: 'key', ...frontendMayCrash };
const unpublished: Fault = { kind: 'publish', process: 'frontend#0', nth: 1, result: 'error' };
const unanswered: Fault = { kind: 'commit', process: 'frontend#0', nth: 1, result: 'lost answer' };

/** Worlds of which every way is gone in the tests. */
export const smallWorlds = {
  twoOrders: small('two orders for one unit', two),
  twoReservers: small('two orders, two processes that reserve', two, [], reservers),
  createdTwice: small('two orders, one of them delivered twice', two, [twice('frontend-sub')]),
  reservedTwice: small(
    'one order, delivered twice to two processes that reserve',
    one,
    [twice('order-created-sub')],
    reservers,
  ),
  failedTwice: small('two orders, one failure delivered twice', two, [twice('error-sub')]),
  overtakenByFailure: small('two orders, one overtaken by its failure', two, [overtaken]),
  overtakenByItself: small('two orders, one overtaken by its own third message', two, [tooEarly]),
  bothModes: small('two orders for one unit, one of them orchestrated', mixed),
  choreographedMessage: small('an orchestrated order, and a message of the other mode', orchestrated, [
    forged('order-created'),
  ]),
  workflowMessage: small('a choreographed order, and a message of the other mode', one, [forged('workflow')]),
  orchestratedCrash: small('one orchestrated order, one crash', orchestrated, [], mayCrash),
  canceled: small('two orders, one canceled by its customer', two, [canceled]),
  paused: small('one order that is paused, and delivered twice', one, [pausing, twice('order-created-sub')]),
  pausedAndCanceled: small('one order that is paused and canceled', one, [pausing, canceled]),
  overdue: small('one order, and a sweep after its deadline', one, [overdue]),
  crash: small('two orders, one crash', two, [], mayCrash),
  canceledCrash: small('one order that is canceled, one crash', one, [canceled], mayCrash),
  refusedCrash: small('one order whose payment is refused, one crash', refused, [], mayCrash),
  postedCrash: small('two orders that are posted, one crash of the frontend', two, [], posted),
  repeatedCrash: small(
    'one order, posted until it is accepted, one crash of the frontend',
    one,
    [],
    insisting,
  ),
  unansweredCommit: small(
    'one order, posted until it is accepted, one commit without an answer',
    one,
    [unanswered],
    insisting,
  ),
  unpublishedCrash: small(
    'two orders that are posted, one of them not published, one crash of the frontend',
    two,
    [unpublished],
    posted,
  ),
};

/** Worlds for those who have a few minutes. */
export const largerWorlds: readonly SmallWorld[] = [
  small('one order, posted until it is accepted, one crash, and sweeps', one, [], {
    ...insisting,
    ...mayCrash,
  }),
  small('two orders, one overtaken by its failure, one crash', two, [overtaken], mayCrash),
  small('two orders, one canceled, one crash', two, [canceled], mayCrash),
  small('two orders for one unit in both modes, the workflow of one delivered twice', mixed, [
    twice('workflow-sub'),
  ]),
  small('two orders, one canceled, one delivered twice', two, [canceled, twice('order-created-sub')]),
];
