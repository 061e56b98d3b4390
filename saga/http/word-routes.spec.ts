import { expect } from 'chai';
import { z } from 'zod';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { storeHolding, UUID } from '../../test/support/builders.ts';
import { createFaultyStore } from '../../test/support/faulty-store.ts';
import { topologyOf } from '../deliver/topology.ts';
import { beginWait, ledgerPath, receive } from '../ledger/ledger.ts';
import { readOne } from '../ports/store.ts';
import { record } from '../step/document.ts';
import { defineSaga, type WaitingStep } from '../step/saga.ts';
import { accept, stepsFor, wait } from '../step/step.ts';
import type { HttpRequest, Problem } from './http.ts';
import { wordRoutes } from './word-routes.ts';

/** A book is lent once its reader has agreed to the terms. */

const schema = z.object({ reader: z.string() });
const loans = record({ name: 'loan', path: 'loans/{uuid}', schema });
const lend = stepsFor<z.infer<typeof schema>>()({
  name: 'lend',
  leadsTo: 'LENT',
  announces: 'lent',
  says: 'the book is lent',
  uses: [loans],
  waits: {
    as: 'ASKED',
    announces: 'asked',
    says: 'the reader is asked',
    words: { agree: {}, return: { on: z.string() } },
    afterwards: 'give up',
    path: 'order/{uuid}',
    holds: () => [],
  },
  reads: () => [],
  decide: ({ word }) => (word === undefined ? wait(60, {}) : accept({})),
  holds: ({ uuid, reader }) => [loans.of(uuid).holding({ reader })],
});
const saga = defineSaga({
  name: 'library',
  order: {
    schema,
    listedBy: [],
    ownedBy: 'reader',
    parse: () => ({ faults: [] }),
    shows: () => ({}),
  },
  entry: { topic: 'wishes', says: 'a reader wants a book' },
  steps: [lend],
  resumption: { topic: 'resumed', says: 'the reader has answered' },
  failure: { topic: 'failed', says: 'the loan fails' },
  end: { topic: 'given-up', says: 'the loan is canceled' },
  reasons: ['NO'],
  unknownReason: 'NO',
  services: [],
  subscriptions: {},
});

const lends = lend as unknown as WaitingStep;

/** A store with an order of Joe's that waits, the routes to it, and how one answers to a caller. */
async function scene() {
  const now = systemClock.now();
  const asked = beginWait(saga, receive(saga, UUID, { reader: 'joe' }, 'lend', now, 60), {
    step: 'lend',
    by: 'lend',
    learned: {},
    until: new Date(now.getTime() + 60_000),
    now,
  });
  const store = createFaultyStore(await storeHolding({ [ledgerPath(UUID)]: asked }));
  const bus = createMemoryBus(topologyOf(saga), systemClock);
  const ports = { store, bus, clock: systemClock, random: () => 0.5, newUuid: () => UUID, log: () => {} };
  const routes = wordRoutes(saga, lends, 'lend', ports);
  const say = async (caller?: HttpRequest['caller'], uuid = UUID) => {
    const request = { params: { uuid }, caller } as unknown as HttpRequest;
    const answer = await routes[0]?.handle(request).catch((problem: Problem) => problem);
    return answer instanceof Error ? [answer.status, answer.detail] : answer?.status;
  };
  return { store, routes, say };
}

describe('The routes of words', () => {
  it('take with a word what it carries, and else no body', async () => {
    const { routes } = await scene();
    expect(routes.map(({ method, path, body }) => [method, path, body])).to.deep.equal([
      ['POST', '/order/{uuid}/agree', undefined],
      ['POST', '/order/{uuid}/return', lends.waits.words.return],
    ]);
  });

  it('[anomaly 39] let a customer answer for an order of their own, and find no other', async () => {
    const { store, routes, say } = await scene();
    expect(routes[0]?.audience).to.equal('customers');
    expect(await say({ kind: 'customer', name: 'jack' })).to.deep.equal([404, `There is no order ${UUID}`]);
    expect(await readOne(store, ledgerPath(UUID))).to.include({ status: 'ASKED' });
    expect(await say({ kind: 'customer', name: 'joe' })).to.equal(202);
    expect(await readOne(store, ledgerPath(UUID))).to.include({ status: 'RESUMED' });
  });

  it('read the ledger once for whoever may act on every order', async () => {
    for (const caller of [undefined, { kind: 'operator' }] as const) {
      const { store, say } = await scene();
      expect([await say(caller), store.reads]).to.deep.equal([202, [[ledgerPath(UUID)]]]);
    }
  });

  it('[anomaly 41] repeat no more of an unknown uuid than a uuid has', async () => {
    const { say } = await scene();
    expect(await say(undefined, 'x'.repeat(37))).to.deep.equal([404, `There is no order ${'x'.repeat(36)}`]);
  });
});
