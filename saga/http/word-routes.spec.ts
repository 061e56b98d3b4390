import { expect } from 'chai';
import { z } from 'zod';
import { createMemoryBus } from '../../adapters/memory/memory-bus.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { storeHolding, UUID } from '../../test/support/builders.ts';
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
    words: { agree: {} },
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

describe('The routes of words', () => {
  it('[anomaly 39] let a customer answer for an order of their own, and find no other', async () => {
    const now = systemClock.now();
    const asked = beginWait(saga, receive(saga, UUID, { reader: 'joe' }, 'lend', now, 60), {
      step: 'lend',
      by: 'lend',
      learned: {},
      until: new Date(now.getTime() + 60_000),
      now,
    });
    const store = await storeHolding({ [ledgerPath(UUID)]: asked });
    const bus = createMemoryBus(topologyOf(saga), systemClock);
    const ports = { store, bus, clock: systemClock, random: () => 0.5, newUuid: () => UUID, log: () => {} };
    const [agree] = wordRoutes(saga, lend as unknown as WaitingStep, 'lend', ports);
    const said = (name: string) =>
      agree
        ?.handle({ params: { uuid: UUID }, caller: { kind: 'customer', name } } as unknown as HttpRequest)
        .catch((problem: Problem) => problem)
        .then(({ status }) => status);
    expect(agree?.audience).to.equal('customers');
    expect(await said('jack')).to.equal(404);
    expect(await readOne(store, ledgerPath(UUID))).to.include({ status: 'ASKED' });
    expect(await said('joe')).to.equal(202);
    expect(await readOne(store, ledgerPath(UUID))).to.include({ status: 'RESUMED' });
  });
});
