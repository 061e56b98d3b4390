import { collectionsOf } from '../../data-init/load-data.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline } from '../../pipeline.ts';
import { subscriptionOf, topologyOf } from '../../saga/deliver/topology.ts';
import type { OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Path } from '../../saga/ports/store.ts';
import { Dice } from '../../test-kit/simulation/chance.ts';
import type { Plan } from '../../test-kit/simulation/plan.ts';
import { isAnyStanding, untilNextSweepMs } from '../../test-kit/simulation/run-world.ts';
import { People } from '../../test-kit/simulation/world/people.ts';
import { World } from '../../test-kit/simulation/world/world.ts';
import { type AllDocuments, endFaults, holdingFaults, silenceFaults } from './invariants.ts';
import { isErasedMeanwhile } from './operators.ts';
import { shop, written } from './shop.ts';

/**
 * A world that loses its documents and gets back a copy of them: the ledgers are set back in time, and the broker is ahead
 * of them.
 */

/** The subscriptions by which failures and orders come in. */
const topology = topologyOf(pipeline);
const FAILURES = subscriptionOf(topology, 'janitor', pipeline.failure.topic);
const ORDERS = subscriptionOf(topology, pipeline.steps[0]?.name ?? '', pipeline.entry.topic);

/** How a world loses its documents, and what it gets back. */
export interface Restore {
  /** After so many commits a copy is taken of all documents: a backup, or a moment to which the database can go back. */
  readonly copyAtCommit: number;
  /** After so many more, every process dies, and the copy takes the place of what there is. */
  readonly laterCommits: number;
  /** How long that takes. */
  readonly downMs: number;
  /** The broker then hands out again what was published: first the failures, then the orders. */
  readonly seeks?: boolean;
  /** The copy is only laid over what there is, as an import into the living database does. */
  readonly isMerged?: boolean;
}

/** Draws the restore that belongs to a seed. */
export function drawRestore(seed: number): Restore {
  const dice = new Dice(`restore ${seed}`);
  return {
    copyAtCommit: dice.whole(1, 25),
    laterCommits: dice.whole(0, 25),
    // At once; as long as the sweeper waits before it announces an order again; far longer than any deadline.
    downMs: dice.oneOf([0, 60_000, 3_600_000]),
  };
}

/** What came of it. */
export interface RestoreOutcome {
  readonly plan: Plan;
  readonly restore: Restore;
  readonly wrongs: readonly string[];
  readonly trace: readonly string[];
  /** The orders whose ledgers stood elsewhere before the restore than after it. */
  readonly setBackCount: number;
  /** The orders of which no ledger was left. */
  readonly lostCount: number;
  /** Of these, the ones that have a ledger again in the end. */
  readonly foundCount: number;
  /** The orders without a ledger that a seek of their failures has fenced. */
  readonly fencedCount: number;
}

const EVENTS_MAX = 40_000;
const SWEEPS_MAX = 100;
const ANSWERS_MAX = 20;
/** What was handed out again and not acked by then comes once more. */
const SEEK_AGAIN_MS = 10_000;

/** Runs the world of a plan until all orders rest, with a restore on the way. */
export async function simulateRestore(plan: Plan, restore: Restore): Promise<RestoreOutcome> {
  const world = new World(shop, plan);
  const people = new People(world);
  let eventCount = 0;

  async function run(isEnough = () => false): Promise<void> {
    for (;;) {
      await world.settle();
      const { next } = world.scheduler;
      if (next === undefined || world.wrongs.length > 0 || isEnough()) return;
      if (++eventCount > EVENTS_MAX) return world.fail(`nothing rests after ${EVENTS_MAX} events`);
      await world.scheduler.happen(next);
    }
  }
  async function runAndSweep(isEnough = () => false): Promise<void> {
    await runAndSweepOnce(isEnough);
    // What the sweeps moved on may wait now.
    await runAndSweepOnce(isEnough);
  }
  async function runAndSweepOnce(isEnough: () => boolean): Promise<void> {
    await run(isEnough);
    for (let times = 0; times < ANSWERS_MAX && !isEnough() && people.answerWaits(); times++)
      await run(isEnough);
    for (let sweeps = 0; plan.swept && sweeps < SWEEPS_MAX && !isEnough(); sweeps++) {
      if (!isAnyStanding(pipeline, world.documents)) return;
      world.later('somebody sweeps', untilNextSweepMs(world), () => people.sweep());
      await run(isEnough);
    }
  }
  const after = (commits: number) => () => world.commitCount >= commits;
  /** @returns the orders without a ledger that their failures have fenced, before their own messages come again. */
  async function seekBoth(): Promise<string[]> {
    const unknown = handedOut(world, FAILURES).filter((uuid) => !world.documents.has(`sagas/${uuid}`));
    seek(world, FAILURES);
    await run();
    // Whose own message was still on its way may have been faster.
    const fenced = unknown.filter((uuid) => world.documents.get(`sagas/${uuid}`)?.status === 'CANCELED');
    seek(world, ORDERS);
    return fenced;
  }

  await world.begin();
  people.begin();
  await runAndSweep(after(restore.copyAtCommit));
  world.note('a copy is taken');
  const copy = new Map(world.documents);
  const canceledInCopy = new Set(people.canceled);
  await runAndSweep(after(world.commitCount + restore.laterCommits));
  const before = new Map(world.documents);
  const past = { acceptedCount: people.accepted.length, publishedCount: world.published.length };
  const canceledSince = [...people.canceled].filter((uuid) => !canceledInCopy.has(uuid));
  world.wasSetBack = true;
  await putBack(world, restore.isMerged ? new Map([...before, ...copy]) : copy, restore.downMs);
  // A copy of one moment is in order as it stands; only that time has gone by since.
  for (const { path, sentence } of await violationsIn(world)) {
    if (!isErasedMeanwhile(world, path)) world.fail(`in the copy: ${sentence}`);
  }
  const fenced = restore.seeks ? await seekBoth() : [];
  await runAndSweep();

  // An order of which neither the copy nor a message is left is gone, and so is a cancellation after the copy.
  const heard = new Set(restore.seeks ? handedOut(world, ORDERS) : []);
  const owed = written(people.accepted).filter(
    ({ uuid }, index) => index >= past.acceptedCount || copy.has(`sagas/${uuid}`) || heard.has(uuid),
  );
  const mustBeCanceled = [...[...people.canceled].filter((uuid) => !canceledSince.includes(uuid)), ...fenced];
  const lost = [...before.keys()].filter((path) => path.startsWith('sagas/') && !copy.has(path));
  for (const fault of [
    ...endFaults(world.documents, owed),
    ...holdingFaults(
      world.documents,
      owed,
      subjectsOf(world.published.slice(past.publishedCount), 'order-canceled'),
    ),
    ...(plan.faults.some(({ kind }) => kind === 'stolen')
      ? []
      : silenceFaults(withoutOrders(world.documents, canceledSince), announced(world))),
    ...mustBeCanceled.flatMap((uuid) => {
      const status = world.documents.get(`sagas/${uuid}`)?.status;
      return status === 'CANCELED' ? [] : [`${uuid} was canceled, but it is ${status}`];
    }),
    ...(await violationsIn(world)).map(({ sentence }) => sentence),
  ]) {
    world.fail(fault);
  }
  return {
    plan,
    restore,
    wrongs: world.wrongs,
    trace: world.trace,
    setBackCount: [...copy].filter(
      ([path, { status }]) => path.startsWith('sagas/') && before.get(path)?.status !== status,
    ).length,
    lostCount: lost.length,
    foundCount: lost.filter((path) => world.documents.has(path)).length,
    fencedCount: fenced.length,
  };
}

/** Every process dies, time passes, and the copy takes the place of what there is. */
async function putBack(world: World, copy: AllDocuments, downMs: number): Promise<void> {
  world.crashAll();
  world.later('the copy is restored', downMs, async () => {
    for (const collection of collectionsOf(pipeline)) await world.store.erase(collection);
    await world.store.commit(
      [...copy].map(([path, fields]) => ({ kind: 'create', path: path as Path, fields })),
    );
    world.documents.clear();
    for (const [path, fields] of copy) world.documents.set(path, fields);
    world.note('the copy is restored');
  });
  // Nobody is there who could do anything meanwhile.
  const restoring = world.scheduler.pending.find(({ label }) => label === 'the copy is restored');
  if (restoring) await world.scheduler.happen(restoring);
}

/** The broker hands out again all that a subscription ever had, until it is acked. */
function seek(world: World, subscription: string): void {
  const service = world.topology.subscriptions[subscription]?.service;
  for (const { subscription: from, delivery } of world.handedOut.values()) {
    if (from !== subscription) continue;
    let isAcked = false;
    const ack = () => {
      isAcked = true;
    };
    const give = (): void => {
      if (isAcked) return;
      world.note(`${subscription} hands ${world.nameOfMessage(delivery)} out again`);
      const there = world.processes.find(({ serviceName, isAlive }) => serviceName === service && isAlive);
      there?.receive(subscription, { ...delivery, ack, nack: () => {} });
      world.later('what was not acked comes again', SEEK_AGAIN_MS, give);
    };
    world.later(`a seek of ${subscription}`, 0, give);
  }
}

/** The orders of which a service was handed a message by this subscription. */
const handedOut = (world: World, subscription: string): string[] =>
  [...world.handedOut.values()].flatMap(({ subscription: from, delivery }) => {
    const uuid = /"uuid":"([0-9a-f-]{36})"/.exec(delivery.data.toString())?.[1];
    return from === subscription && uuid !== undefined ? [uuid] : [];
  });

/**
 * An order that was canceled as it was paid need not be announced as paid. After the restore it is paid, rests, and the
 * message from which it would have been announced has been acked.
 */
const withoutOrders = (documents: AllDocuments, uuids: readonly string[]): AllDocuments =>
  new Map([...documents].filter(([path]) => !uuids.includes(path.slice('sagas/'.length))));

const subjectsOf = (messages: readonly OutgoingMessage[], topic: string): Set<string> =>
  new Set(messages.flatMap((one) => (one.topic === topic ? [one.attributes['ce-subject'] ?? ''] : [])));

const announced = ({ published }: World): Set<string> =>
  new Set(published.map(({ topic, attributes }) => `${attributes['ce-subject']}/${topic}`));

async function violationsIn({
  store,
  scheduler,
}: World): Promise<readonly { readonly path: string; readonly sentence: string }[]> {
  const clock = scheduler.clockOf({ name: 'doctor', alive: true, pausedUntilMs: 0 });
  return (await takeAudit(pipeline, { store, clock })).violations;
}
