import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { createMemoryStore } from '../../adapters/memory/memory-store.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { topologyOf } from '../../saga/deliver/topology.ts';
import { transitionTo } from '../../saga/ledger/history.ts';
import { type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { isAmount } from '../../saga/step/holds.ts';
import type { Saga } from '../../saga/step/saga.ts';
import type { Step } from '../../saga/step/step.ts';
import { wordOf } from '../support/builders.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { shopOfThree } from '../support/shop-of-three.ts';

/**
 * What an order costs: Firestore bills by document, and an order's documents cost some fifty times what its messages
 * do. The documents that orders share (an item, a customer) count once a batch, however many orders are in it.
 */
interface Cost {
  readonly reads: number;
  readonly writes: number;
  readonly sharedReads: number;
  readonly sharedWrites: number;
}

/** What receiving an order costs: its ledger. */
const RECEIPT: Cost = { reads: 0, writes: 1, sharedReads: 0, sharedWrites: 0 };

/**
 * What a step may cost until it is done or waits: the ledger and what it reads, once for each topic on which it hears of an
 * order; the ledger and its records, written; and the accounts it takes from. A step that has come to stand behind another still
 * reads its old topic. Of an order that doesn't wait it hears nothing on the topic of resumption.
 */
function budgetOf(saga: Saga, step: Step, ledger: Ledger): Cost {
  const silent = [saga.resumption?.topic, step.waits?.listensTo?.topic];
  const heard = Object.values(topologyOf(saga).subscriptions).filter(
    ({ service, topic }) => service === step.name && !silent.includes(topic),
  ).length;
  const act = saga.actsOf(ledger).find((one) => one.step === step);
  const holds = act?.holds({ ...ledger, at: transitionTo(ledger, act.since)?.at }) ?? [];
  const amounts = holds.filter(isAmount);
  return {
    reads: heard,
    writes: 1 + holds.length - amounts.length,
    sharedReads: heard * new Set(step.reads(ledger).map(({ path }) => path)).size,
    sharedWrites: new Set(amounts.flatMap(({ path, amount }) => (amount === 0 ? [] : [path]))).size,
  };
}

const sum = (costs: readonly Cost[]): Cost => ({
  reads: costs.reduce((total, { reads }) => total + reads, 0),
  writes: costs.reduce((total, { writes }) => total + writes, 0),
  sharedReads: costs.reduce((total, { sharedReads }) => total + sharedReads, 0),
  sharedWrites: costs.reduce((total, { sharedWrites }) => total + sharedWrites, 0),
});

const ORDER = { item: 'widget', quantity: 1, user: 'joe' };
const atOnce = async (pipeline: Pipeline) => [(await pipeline.post('/order', ORDER)).body.uuid as string];
const COUNT = 10;
/** Without the frontend, so that they arrive together. */
const together = async (pipeline: Pipeline) => {
  const uuids = Array.from({ length: COUNT }, () => uuidv4());
  const orders = uuids.map((uuid) => Buffer.from(JSON.stringify({ uuid, ...ORDER })));
  await pipeline.bus.publish(orders.map((data) => ({ topic: 'frontend', data, attributes: {} })));
  return uuids;
};

/** What orders cost that are placed by `place`, which says their uuids; and the ledger of one of them. */
async function costOf(
  saga: Saga,
  place: (pipeline: Pipeline) => Promise<string[]>,
): Promise<{ cost: Cost; whole: Cost; ledger: Ledger }> {
  const counts = { reads: 0, writes: 0, sharedReads: 0, sharedWrites: 0 };
  const isShared = (path: Path) =>
    !path.startsWith(ledgerPath('')) && !saga.records.some((kind) => kind.namesIn(path));
  const counting = (store: Store): Store => ({
    ...store,
    read(paths) {
      counts.sharedReads += paths.filter(isShared).length;
      counts.reads += paths.filter((path) => !isShared(path)).length;
      return store.read(paths);
    },
    commit(writes) {
      counts.sharedWrites += writes.filter(({ path }) => isShared(path)).length;
      counts.writes += writes.filter(({ path }) => !isShared(path)).length;
      return store.commit(writes);
    },
  });
  const backend = { store: createMemoryStore(), bus: createMemoryBus(topologyOf(saga), systemClock) };
  const wrap = ({ store }: { store: Store }) => ({ store: counting(store) });
  const pipeline = await startPipeline(backend, wrap, undefined, saga, {}, { isSilent: true });
  Object.assign(counts, { reads: 0, writes: 0, sharedReads: 0, sharedWrites: 0 });
  const uuids = await place(pipeline);
  await pipeline.bus.idle();
  const untilItWaits = { ...counts };
  await Promise.all(uuids.map((uuid) => deliver(pipeline, saga, uuid)));
  await pipeline.bus.idle();
  const ledgers = await Promise.all(uuids.map(pipeline.ledger));
  await pipeline.close();
  expect(ledgers.map((ledger) => ledger?.status)).to.deep.equal(uuids.map(() => saga.success));
  return { cost: untilItWaits, whole: counts, ledger: ledgers[0] as Ledger };
}

/** Somebody publishes what the order waits for, if it does. */
async function deliver(pipeline: Pipeline, saga: Saga, uuid: string): Promise<void> {
  const { waits } = saga.waitingIn((await pipeline.ledger(uuid))?.status ?? '') ?? {};
  if (waits?.listensTo === undefined) return;
  const { word, ...carried } = wordOf(waits);
  const data = Buffer.from(JSON.stringify({ uuid, outcome: word, ...carried }));
  await pipeline.bus.publish([{ topic: waits.listensTo.topic, data, attributes: {} }]);
}

describe('The cost of an order', () => {
  it('is at most 7 written and 3 read documents, and the shared ones: 2 written, 3 read', async () => {
    const { cost } = await costOf(shopOfThree, atOnce);
    expect(cost).to.deep.equal({ reads: 3, writes: 7, sharedReads: 3, sharedWrites: 2 });
  });

  it('[anomaly 33] counts the shared documents once for all orders that arrive together', async () => {
    const { cost } = await costOf(shopOfThree, together);
    // Without the frontend, one write less each.
    expect(cost).to.deep.equal({ reads: 30, writes: 60, sharedReads: 3, sharedWrites: 2 });
  });

  it('is 1 written and 2 read more until it is delivered, if the courier sends a message: 10 written, 6 read', async () => {
    const { cost, whole } = await costOf(shop, atOnce);
    expect(cost).to.deep.equal({ reads: 4, writes: 9, sharedReads: 5, sharedWrites: 3 });
    expect(whole).to.deep.equal({ reads: 6, writes: 10, sharedReads: 8, sharedWrites: 3 });
  });

  it('is no more with whatever steps there are than what each of them reads and holds', async () => {
    const { cost, ledger } = await costOf(shop, atOnce);
    const steps = shop.steps.map((step) => budgetOf(shop, step, ledger));
    expect(cost).to.deep.equal(sum([RECEIPT, ...steps]));
    const many = await costOf(shop, together);
    const each = sum(steps);
    expect(many.cost).to.deep.equal({ ...each, reads: COUNT * each.reads, writes: COUNT * each.writes });
  });
});
