import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline } from '../../pipeline.ts';
import { derivedUuid, REDRIVE } from '../../saga/deliver/message.ts';
import type { Saga, WaitingStep } from '../../saga/step/saga.ts';
import type { Word } from '../../saga/step/wait.ts';
import type { Order } from '../../shop/order.ts';
import type { Dice } from '../../test-kit/simulation/chance.ts';
import { drawPlan, type Plan, type PlanLimits, type PlannedOrder } from '../../test-kit/simulation/plan.ts';
import type { AllDocuments, Commit, Customers, Data, Subject } from '../../test-kit/simulation/subject.ts';
import type { AcceptedOrder, People } from '../../test-kit/simulation/world/people.ts';
import { POISON, type World } from '../../test-kit/simulation/world/world.ts';
import { SETTINGS } from '../support/builders.ts';
import { plenty, withFurtherAccounts } from '../support/data.ts';
import { shopOfThree } from '../support/shop-of-three.ts';
import {
  bookFaults,
  earlyFaults,
  endFaults,
  forkFaults,
  holdingFaults,
  keepingFaults,
  type Loaded,
  personalFaults,
  silenceFaults,
  transitionFaults,
  type AcceptedOrder as WrittenOrder,
} from './invariants.ts';
import { erasedIn, erasure, repairs, restock } from './operators.ts';

/** The shop as a subject of the simulation: its stock, its customers, their orders, and a checker that believes none of it. */

const ITEMS = ['widget', 'wotsit', 'gadget'] as const;
export const USERS = ['jack', 'jill', 'joe'] as const;

/** A customer who has no answer asks again after this time, if that is safe: with an idempotency key. */
const PATIENCE_MS = 20_000;
const TRIES_MAX = 20;
/** Where every way is gone, each further time would multiply the ways. */
const TRIES_MAX_EXPLORED = 2;

/** They post with an idempotency key and repeat it until the order is accepted, or post once without one. */
const customers: Customers = {
  via: ['key', 'key', 'post', 'topic', 'nameless'],
  uuidOf: ({ name, via }) => (via === 'key' ? derivedUuid('idempotency-key', name) : undefined),
  order: (people, order) => post(people, order, 1),
  cancel(people, uuid) {
    people.ask('/order/{uuid}/cancel', { uuid }, {}, (status) => {
      if (status === 202) people.canceled.add(uuid);
    });
  },
};

function post(people: People, planned: PlannedOrder, attempt: number): void {
  const { world } = people;
  const { name, order, via } = planned;
  let settled = false;
  world.note(`a customer orders ${name}`);
  const isKnown = via === 'key';
  const request = { body: order, key: isKnown ? name : undefined };
  people.ask('/order', {}, request, (status, answer) => {
    settled = status === 202 || status === 422;
    if (status !== 202) return;
    if (!isKnown) people.know(name, (answer as { uuid: string }).uuid);
    people.isAccepted(planned);
  });
  if (!isKnown) return;
  world.later(`a customer asks after ${name} for the ${attempt}. time`, PATIENCE_MS, () => {
    const triesMax = world.answersAtOnce ? TRIES_MAX_EXPLORED : TRIES_MAX;
    if (!settled && attempt < triesMax) post(people, planned, attempt + 1);
  });
}

/** Half of the dear orders are dear enough to wait. */
const APPROVAL_ABOVE = 30;

/** Customers agree to what is there, or to a part of it. */
function aWord({ name }: WaitingStep, asked: object, chance: () => number): Word | undefined {
  if (name !== 'inventory') return undefined;
  if (chance() < 0.4) return { word: 'approve' };
  const { offered, items } = asked as { readonly offered?: Order['items']; readonly items: Order['items'] };
  const lines = (offered ?? items).filter(() => chance() < 0.7);
  // Now and then more than is held, which can't be heeded.
  const amended = (lines.length === 0 ? items.slice(0, 1) : lines).map(({ item, quantity }) => ({
    item,
    quantity: Math.max(1, quantity - Math.floor(3 * chance()) + (chance() < 0.1 ? 1 : 0)),
  }));
  return { word: 'amend', items: amended };
}

function anOrderOf(saga: Saga, user: string, dice: Dice): Order {
  return {
    user,
    items: (dice.often(0.03) ? ['nothing'] : dice.someOf(ITEMS, 3)).map((item) => ({
      item,
      quantity: dice.whole(1, 3),
    })),
    // Three steps of the shop neither wait nor are orchestrated: what their guards are worth shows sooner.
    ...(saga === pipeline && dice.often(0.3) && { on_shortage: 'ask' }),
    ...(saga === pipeline && dice.often(0.3) && { mode: 'orchestration' }),
    ...(dice.often(0.1) && { paymentError: JSON.stringify(`${user} can't pay`) }),
    ...(dice.often(0.04) && { fail: dice.oneOf(saga.steps).name }),
  };
}

const subjectOf = (saga: Saga): Subject => ({
  saga,
  settings: { ...SETTINGS.declared, ...(saga === pipeline && { APPROVAL_ABOVE }) },
  aWord,
  data(dice) {
    const counted = {
      inventory: Object.fromEntries(
        ITEMS.map((item) => [item, { quantity: dice.whole(0, 12), price_per_unit: dice.whole(1, 9) }]),
      ),
      users: {
        jack: { address: "jack's house" },
        jill: { address: "jill's house", location: { lat: 52.13, lng: 5.12 }, credit: dice.whole(20, 90) },
        joe: { address: "joe's house", location: { lat: 52.08, lng: 5.12 }, credit: dice.whole(0, 40) },
      },
    };
    // Of what further steps take from there is plenty in most worlds, and in the others soon too little.
    const balances = (shipped: number) => (dice.often(0.8) ? plenty(shipped) : dice.whole(0, 5));
    return withFurtherAccounts(counted, saga, balances) as Data;
  },
  anOrder: (dice: Dice): Order => anOrderOf(saga, dice.often(0.03) ? 'nobody' : dice.oneOf(USERS), dice),
  anEdit: (dice) => ({
    path: `inventory/${dice.oneOf(ITEMS)}`,
    fields: { price_per_unit: dice.whole(1, 9) },
  }),
  customers,
  deeds: { ...repairs(saga), restock: restock([...ITEMS, 'nothing']), erase: erasure(saga, USERS) },
});

export const shop: Subject = { ...subjectOf(pipeline), check: checkAlways, checkRest: checkAtRest };

/** Three steps of it, whatever others there are, without a line that was written to check it. */
export const anyShopOfThree = subjectOf(shopOfThree);

/** Draws the plan of a world of the shop. */
export const drawShop = (seed: number, limits?: PlanLimits): Plan => drawPlan(shop, seed, limits);

/** What was loaded, as the checker reads it. */
export const loadedIn = ({ data }: Plan): Loaded => data as unknown as Loaded;

/** Orders, as the checker reads them. */
export const written = (orders: readonly AcceptedOrder[]): WrittenOrder[] =>
  orders.map(({ uuid, order }) => ({ ...(order as Order), uuid }));

/** All that holds at every moment, whatever is under way. */
export function checkAlways(documents: AllDocuments, { plan, changes, latestMs }: Commit): string[] {
  return [
    ...changes.flatMap((change) => {
      const { path, before, after } = change;
      return path.startsWith('sagas/')
        ? [
            ...transitionFaults(path, before, after),
            ...earlyFaults(path, before, after, latestMs),
            ...forkFaults(documents, change),
          ]
        : keepingFaults(path, before, after);
    }),
    ...bookFaults(documents, loadedIn(plan)),
  ];
}

/** What was published, as `{uuid}/{topic}`. */
const announcements = ({ published }: World): Set<string> =>
  new Set(published.map(({ topic, attributes }) => `${attributes['ce-subject']}/${topic}`));

/** The uuids of the orders whose cancellation everybody was told. */
export const announcedAsCanceled = ({ published }: World): Set<string> =>
  new Set(
    published.flatMap(({ topic, attributes }) =>
      topic === 'order-canceled' ? [attributes['ce-subject'] ?? ''] : [],
    ),
  );

/** All that holds once nothing more happens. The product's own audit must come to the same as the checker. */
async function checkAtRest(world: World, { accepted, canceled }: People): Promise<string[]> {
  const { documents, poisonCount, store, scheduler } = world;
  const orders = written(accepted);
  const letters = [...documents].filter(
    ([path, { body }]) => path.startsWith('dead-letters/') && body === POISON,
  );
  // Poison that is sent back to its topic comes to the desk once more, from every service that reads there.
  const sentBack = new Set(world.published.map(({ attributes }) => attributes[REDRIVE.letter]));
  const again = letters.flatMap(([, { id, topic }]) => (sentBack.has(id) ? world.readersOf(topic) : []));
  const unreadable = poisonCount + again.length;
  const auditor = { name: 'auditor', alive: true, pausedUntilMs: 0 };
  const { violations, stuck } = await takeAudit(pipeline, { store, clock: scheduler.clockOf(auditor) });
  return [
    ...endFaults(documents, orders),
    ...holdingFaults(documents, orders, announcedAsCanceled(world)),
    ...personalFaults(documents, erasedIn(world)),
    // After a crash, the message that is taken away may be the one from which the end would have been announced.
    ...(world.plan.faults.some(({ kind }) => kind === 'stolen')
      ? []
      : silenceFaults(documents, announcements(world))),
    ...(letters.length === unreadable
      ? []
      : [`${unreadable} unreadable messages were to reach the desk, and ${letters.length} are there`]),
    ...[...canceled].flatMap((uuid) => {
      const status = documents.get(`sagas/${uuid}`)?.status;
      return status === 'CANCELED' ? [] : [`the cancellation of ${uuid} was accepted, but it is ${status}`];
    }),
    ...[...violations, ...stuck].map((found) => `the audit found ${JSON.stringify(found)}`),
  ];
}
