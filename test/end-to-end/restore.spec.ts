import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock } from '../../adapters/system-clock.ts';
import { resetData } from '../../data-init/load-data.ts';
import { pipeline } from '../../pipeline.ts';
import { isStanding, isWaiting } from '../../saga/ledger/deadline.ts';
import { CANCELED, isLedgerPath, type Ledger, ledgerPath } from '../../saga/ledger/ledger.ts';
import type { Bus, OutgoingMessage } from '../../saga/ports/bus.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import type { Path, Store } from '../../saga/ports/store.ts';
import { allDocuments } from '../support/all-documents.ts';
import { backends, type Pipeline, startPipeline } from '../support/pipeline.ts';
import { longTest } from '../support/thorough.ts';
import { wordRequest } from '../support/words.ts';

/** Ten orders for five pairs of widgets: half of them fail, and one is refused by payments besides. */
const ORDERS = Array.from({ length: 10 }, (_, number) => ({
  item: number % 3 === 2 ? 'wotsit' : 'widget',
  quantity: 2,
  user: number % 2 === 0 ? 'jack' : 'joe',
  ...(number === 4 && { 'payment-error': true }),
}));

const TURNS_PER_COMMIT = 10;

/** All documents, by their paths. */
type Documents = ReadonlyMap<Path, object>;

const ledgersIn = (documents: Documents): Map<string, Ledger> =>
  new Map(
    [...documents].flatMap(([path, fields]) =>
      isLedgerPath(path) ? [[(fields as Ledger).uuid, fields as Ledger]] : [],
    ),
  );

for (const backend of backends) {
  describe(`A backup that is restored on ${backend.name}`, function () {
    this.timeout(60_000);
    let store: Store;
    let bus: Bus;
    // What one test has left at the broker is not told to the next one.
    beforeEach(async function () {
      ({ store, bus } = await backend.open(this));
    });
    afterEach(async () => {
      await bus?.close();
      await store?.close();
    });

    /** How far the services' clock is ahead of ours. */
    let aheadMs = 0;
    const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() + aheadMs) };
    /** Called after each commit of a service. */
    let onCommit = async (): Promise<void> => {};
    let published: OutgoingMessage[] = [];
    /** A pipeline that leaves store and broker open when it ends. */
    const start = () =>
      startPipeline(
        {
          store: { ...store, close: async () => {} },
          bus: {
            ...bus,
            close: async () => {},
            publish(messages) {
              published.push(...messages);
              return bus.publish(messages);
            },
          },
        },
        (ports: Ports) => ({
          clock,
          store: {
            ...ports.store,
            async commit(writes) {
              // On the embedded engine an order would be done before the next one is read from its connection.
              for (let turns = 0; turns < TURNS_PER_COMMIT; turns++) await nextTurn();
              await ports.store.commit(writes);
              await onCommit();
            },
          },
        }),
      );

    /** Resolves once the ledgers are as wanted. Whatever brings that about commits. */
    async function until(areAsWanted: (ledgers: Map<string, Ledger>) => boolean): Promise<void> {
      for (;;) {
        const committed = new Promise<void>((resolve) => {
          onCommit = async () => resolve();
        });
        if (areAsWanted(ledgersIn(await allDocuments(store)))) return;
        await committed;
      }
    }
    /** Lets every order come to rest: whoever is asked for a word says it, or says it again. */
    async function untilAllRest(started: Pipeline, count = 0): Promise<void> {
      const goesOn = (ledger: Ledger) => isStanding(pipeline, ledger) && !isWaiting(pipeline, ledger);
      for (;;) {
        await until((ledgers) => ledgers.size >= count && ![...ledgers.values()].some(goesOn));
        const waiting = [...ledgersIn(await allDocuments(store)).values()].flatMap(({ uuid, status }) => {
          const step = pipeline.waitingIn(status);
          return step === undefined ? [] : [wordRequest(step, uuid)];
        });
        if (waiting.length === 0) return;
        const answers = await Promise.all(waiting.map(({ path, body }) => started.post(path, body)));
        expect(answers.map(({ status }) => status)).to.deep.equal(waiting.map(() => 202));
      }
    }

    /**
     * Places the orders, takes a copy after so many commits, goes on until all orders are accepted or rest, ends every
     * service where it is, and restores the copy.
     */
    async function loseAndRestore(commitsInCopy: number, goesOnUntil: 'accepted' | 'rest') {
      published = [];
      aheadMs = 0;
      let commitCount = 0;
      let copied: (copy: Documents) => void = () => {};
      const copying = new Promise<Documents>((resolve) => {
        copied = resolve;
      });
      onCommit = async () => {
        if (++commitCount === commitsInCopy) copied(await allDocuments(store));
      };
      await resetData(pipeline, store, () => {});
      const before = await start();
      const answers = await Promise.all(ORDERS.map((order) => before.post('/order', order)));
      expect(answers.map(({ status }) => status)).to.deep.equal(ORDERS.map(() => 202));
      const copy = await copying;
      if (goesOnUntil === 'rest') await untilAllRest(before, ORDERS.length);
      await before.close();
      const later = await allDocuments(store);
      await resetData(pipeline, store, () => {});
      await store.commit([...copy].map(([path, fields]) => ({ kind: 'create', path, fields })));
      return { copy, later, sent: published.splice(0) };
    }

    /** Of one moment, so that it holds whatever still arrives. */
    async function expectExactBooks(started: Pipeline): Promise<void> {
      const { violations, stuck } = (await started.get('/audit')).body;
      expect([violations, stuck]).to.deep.equal([[], []]);
    }

    for (const [howLate, latenessMs, isExpected] of [
      [
        'before the deadline of its orders lets those that stood in it go on',
        60_000,
        (ends: readonly string[]) => ends.includes(pipeline.success),
      ],
      [
        'after the deadline of its orders lets those that stood in it be canceled',
        3_600_000,
        (ends: readonly string[]) => ends.every((status) => status === CANCELED),
      ],
    ] as const) {
      longTest(`[anomaly 27] ${howLate}, by a sweep, and the books are exact`, async () => {
        const ends: string[] = [];
        for (const commitsInCopy of [2, 3, 4]) {
          const { copy } = await loseAndRestore(commitsInCopy, 'accepted');
          aheadMs = latenessMs;
          const started = await start();
          expect((await started.get('/audit')).body.violations).to.deep.equal([]);
          expect((await started.post('/sweep', {})).body.errors).to.equal(0);
          await untilAllRest(started);
          const ledgers = ledgersIn(await allDocuments(store));
          const stood = [...ledgersIn(copy).values()].filter((ledger) => isStanding(pipeline, ledger));
          ends.push(...stood.map(({ uuid }) => ledgers.get(uuid)?.status ?? 'lost'));
          await expectExactBooks(started);
          await started.close();
        }
        expect(ends.length, 'orders that stood in a copy').to.be.greaterThan(3);
        expect(isExpected(ends), ends.join()).to.equal(true);
      });
    }

    it('[anomaly 32] and followed by a seek has every order again, and those that had failed stay so', async () => {
      const { copy, later, sent } = await loseAndRestore(1, 'rest');
      const failedSince = [...ledgersIn(later).values()].filter(
        ({ uuid, reason }) => reason !== undefined && !copy.has(ledgerPath(uuid)),
      );
      expect(failedSince).to.not.be.empty;
      aheadMs = 60_000;
      const started = await start();
      const again = (topic: string) => bus.publish(sent.filter((message) => message.topic === topic));
      await again(pipeline.failure.topic);
      await until((ledgers) => failedSince.every(({ uuid }) => ledgers.has(uuid)));
      await again(pipeline.entry.topic);
      await started.post('/sweep', {});
      await untilAllRest(started, ORDERS.length);
      const ledgers = ledgersIn(await allDocuments(store));
      expect(failedSince.map(({ uuid }) => ledgers.get(uuid)?.status)).to.deep.equal(
        failedSince.map(() => CANCELED),
      );
      await expectExactBooks(started);
      await started.close();
    });
  });
}
