import { expect } from 'chai';
import { type Status, pipeline as shop } from '../../pipeline.ts';
import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { DEAD_LETTER, messageFor } from '../../saga/deliver/message.ts';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { announcedAgain, isStanding, nextSweep } from '../../saga/ledger/deadline.ts';
import {
  advance,
  DEADLINE_EXCEEDED,
  fail,
  type Ledger,
  ledgerPath,
  SHARD_COUNT,
} from '../../saga/ledger/ledger.ts';
import { pause } from '../../saga/ports/clock.ts';
import type { SagaEvent } from '../../saga/ports/observe.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { type Path, readOne } from '../../saga/ports/store.ts';
import type { Saga } from '../../saga/step/saga.ts';
import {
  aLedger,
  NOW,
  aLedgerThatIs as shopThatWaits,
  TRACE,
  UUID,
  uuidOf,
} from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import {
  aLedgerOfThree as aLedgerThatIs,
  shopOfThree as pipeline,
} from '../../test/support/shop-of-three.ts';
import { announceTask, REPEATS_UNTIL_SHOWN, sweep } from './sweep.ts';

/** Ledgers in the store, and the clock so many seconds after they came to stand where they are. */
async function scene(elapsedSeconds: number, ...ledgers: Ledger[]) {
  const documents: Record<Path, object> = Object.fromEntries(
    ledgers.map((ledger) => [ledgerPath(ledger.uuid), ledger]),
  );
  const ports = await recordedPorts(documents);
  await ports.clock.finish(pause(ports.clock, 1000 * elapsedSeconds));
  return {
    ports,
    sweep: (saga: Saga = pipeline, other: Partial<Ports> = {}) =>
      ports.clock.finish(sweep(saga, { ...ports, ...other })),
    stored: (uuid = UUID) => readOne(ports.store, ledgerPath(uuid)),
  };
}
/** The statuses in which something must follow: a step, or the compensation. */
const standing = pipeline.statuses.filter((status) => isStanding(pipeline, { status }));
const NOTHING = { announced: 0, failed: 0, errors: 0 };
const secondsLater = (elapsedSeconds: number) => new Date(NOW.getTime() + 1000 * elapsedSeconds);

describe('A sweep', () => {
  for (const status of standing) {
    it(`[anomaly 18] publishes again what a ledger calls for that stands as ${status}`, async () => {
      const ledger = aLedgerThatIs(status);
      const { ports, sweep, stored } = await scene(30, ledger);
      expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 1 });
      expect(await stored()).to.deep.equal(announcedAgain(pipeline, ledger, secondsLater(30)));
      expect(ports.published).to.deep.equal([messageFor(pipeline, ledger)]);
    });
  }

  it('leaves alone whose time has not come, and who rests', async () => {
    const ledgers = pipeline.statuses.map((status, number) =>
      aLedgerThatIs(status, { uuid: uuidOf(number) }),
    );
    const { ports, sweep } = await scene(29.999, ...ledgers);
    expect(await sweep()).to.deep.equal(NOTHING);
    expect([ports.published, ports.store.commits]).to.deep.equal([[], []]);
  });

  it('puts itself off where the order has moved on since, and says and publishes nothing', async () => {
    const created = advance(pipeline, aLedger(), {
      step: 'order',
      by: 'order',
      learned: {},
      now: secondsLater(20),
    });
    const { ports, sweep, stored } = await scene(30, created);
    expect(await sweep()).to.deep.equal(NOTHING);
    expect([ports.published, ports.logged]).to.deep.equal([[], []]);
    expect(await stored()).to.deep.equal({ ...created, sweepAt: secondsLater(50) });
  });

  it('asks each shard once where fewer are due than a batch holds, and publishes nothing without need', async () => {
    const { ports, sweep } = await scene(30, aLedger());
    const { due } = ports.store;
    const shards: unknown[] = [];
    ports.store.due = (query) => {
      shards.push(query.where.shard);
      return due(query);
    };
    const { publish } = ports.bus;
    const sizes: number[] = [];
    ports.bus.publish = (messages) => {
      sizes.push(messages.length);
      return publish(messages);
    };
    await sweep();
    expect(shards).to.deep.equal(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
    expect(sizes).to.deep.equal([1]);
  });

  it('[anomaly 34] comes back to a ledger only after its pause', async () => {
    const { ports, sweep } = await scene(30, aLedger());
    await sweep();
    expect(await sweep()).to.deep.equal(NOTHING);
    expect(ports.published).to.have.length(1);
  });

  for (const status of standing.filter((one) => pipeline.stepsAfter(one).length > 0)) {
    it(`[anomaly 27] fails an order that stood as ${status} until its deadline, and tells the janitor`, async () => {
      const ledger = aLedgerThatIs(status);
      const { ports, sweep, stored } = await scene(900, ledger);
      expect(await sweep()).to.deep.equal({ ...NOTHING, failed: 1 });
      const detail = `The order stood as ${status} for more than 900 s`;
      const failing = fail(pipeline, ledger, {
        by: 'janitor',
        reason: DEADLINE_EXCEEDED,
        detail,
        now: secondsLater(900),
      });
      expect(await stored()).to.deep.equal(failing);
      expect(ports.published).to.deep.equal([messageFor(pipeline, failing)]);
    });
  }

  it('[anomaly 12] never gives a compensation up, and shows it to people once it has failed often', async () => {
    const base = aLedgerThatIs('FAILING');
    const ledger = { ...base, repeats: REPEATS_UNTIL_SHOWN - 1 };
    const { ports, sweep, stored } = await scene(1_000_000, ledger);
    expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 1 });
    expect((await stored())?.status).to.equal('FAILING');
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['error', 'dead-letter']);
    expect(ports.published[1]?.data).to.deep.equal(messageFor(pipeline, base).data);
    expect(ports.logged.filter(({ severity }) => severity === 'ERROR')).to.deep.equal([
      {
        severity: 'ERROR',
        message: 'janitor: a compensation does not succeed',
        step: 'janitor',
        uuid: UUID,
        repeats: REPEATS_UNTIL_SHOWN,
      },
    ]);
    expect((await stored())?.sweepAt).to.deep.equal(
      nextSweep(pipeline, base, REPEATS_UNTIL_SHOWN, secondsLater(1_000_000)),
    );
  });

  it('[anomaly 12] shows a compensation to people even if what it must give back can not be told', async () => {
    const holds = () => {
      throw new Error('There is no price');
    };
    const acts = new Map(pipeline.acts.map((act) => [act, { ...act, holds }]));
    const release: Saga = {
      ...pipeline,
      actsOf: (ledger) => pipeline.actsOf(ledger).map((act) => acts.get(act) ?? act),
    };
    const failing = { ...aLedgerThatIs('FAILING'), repeats: REPEATS_UNTIL_SHOWN - 1 };
    const { ports, sweep, stored } = await scene(1_000_000, failing);
    expect(await sweep(release)).to.deep.equal({ ...NOTHING, announced: 1 });
    expect(await stored()).to.include({ status: 'FAILING', repeats: REPEATS_UNTIL_SHOWN });
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['error', 'dead-letter']);
  });

  it('shows where it came from by the name that the topology has for it', async () => {
    const renamed = { ...pipeline, subscriptions: { ...pipeline.subscriptions, 'error-sub': 'people' } };
    const ledger = { ...aLedgerThatIs('FAILING'), repeats: REPEATS_UNTIL_SHOWN - 1 };
    const { ports, sweep } = await scene(1_000_000, ledger);
    await sweep(renamed);
    expect(ports.published[1]?.attributes[DEAD_LETTER.subscription]).to.equal('error-janitor-sub');
  });

  it('[anomaly 12] shows it again when people have dealt with it and it still does not succeed', async () => {
    const idAfter = async (repeats: number) => {
      const { ports, sweep } = await scene(1_000_000, { ...aLedgerThatIs('FAILING'), repeats: repeats - 1 });
      await sweep();
      return ports.published[1]?.attributes[DEAD_LETTER.messageId];
    };
    const ids = await Promise.all([5, 6, 9, 10, 19, 20].map(idAfter));
    const id = (generation: number) => `compensation/${UUID}/${generation}`;
    expect(ids).to.deep.equal([id(0), id(0), id(0), id(1), id(1), id(2)]);
  });

  it('[anomaly 28] obeys a step that was faster: the ledger has moved on when its turn comes', async () => {
    const { ports, sweep, stored } = await scene(900, aLedger());
    const created = aLedgerThatIs('CREATED');
    ports.store.commitFaults.push(async () => {
      const { version } = (await ports.store.read([ledgerPath(UUID)])).get(ledgerPath(UUID)) ?? {};
      if (version === undefined) throw new Error('There is no ledger');
      const { status, history } = created;
      const sweepAt = secondsLater(2_000);
      const fields = { status, history, sweepAt };
      await ports.store.commit([{ kind: 'update', path: ledgerPath(UUID), fields, version }]);
    });
    expect(await sweep()).to.deep.equal(NOTHING);
    expect((await stored())?.status).to.equal('CREATED');
    expect(ports.published).to.deep.equal([]);
  });

  it('in two places at once moves each ledger on once', async () => {
    const ledgers = Array.from({ length: 20 }, (_, number) => aLedger({ uuid: uuidOf(number) }));
    const { ports } = await scene(30, ...ledgers);
    const reports = await ports.clock.finish(Promise.all([sweep(pipeline, ports), sweep(pipeline, ports)]));
    expect(reports.reduce((total, { announced }) => total + announced, 0)).to.equal(20);
    expect(ports.published).to.have.length(20);
  });

  it('goes on where more ledgers are due than one batch holds', async () => {
    const ledgers = Array.from({ length: 600 }, (_, number) => aLedger({ uuid: uuidOf(8 * number) }));
    const { sweep } = await scene(30, ...ledgers);
    expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 600 });
  });

  it('[anomaly 27] gets past more ledgers than a batch holds that can not be moved', async () => {
    const stuck = Array.from({ length: BATCH_MAX + 1 }, (_, number) => aLedger({ uuid: uuidOf(8 * number) }));
    const last = uuidOf(8 * BATCH_MAX);
    const { ports, sweep } = await scene(30, ...stuck);
    ports.store.poison = (path) => path !== ledgerPath(last) && path.startsWith('sagas/');
    expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 1, errors: BATCH_MAX });
    expect(ports.published.map(({ attributes }) => attributes['ce-subject'])).to.deep.equal([last]);
  });

  it('[anomaly 23] is not held up by a ledger that can not be moved', async () => {
    const { ports, sweep } = await scene(30, aLedger({ uuid: uuidOf(1) }), aLedger({ uuid: uuidOf(9) }));
    ports.store.poison = (path) => path === ledgerPath(uuidOf(1));
    expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 1, errors: 1 });
    expect(ports.logged).to.deep.equal([
      {
        severity: 'ERROR',
        message: 'janitor: a ledger could not be swept',
        step: 'janitor',
        uuid: uuidOf(1),
        error: 'StoreError: The spec says: rejected',
      },
      {
        severity: 'WARNING',
        message: 'janitor: an order stood still: announced',
        step: 'janitor',
        outcome: 'announced',
        uuid: uuidOf(9),
        detail: 'frontend was published again, time 1',
      },
    ]);
  });

  it('counts what it could not publish, says so in the trace of the order, and publishes it the next time', async () => {
    const [traced, untraced] = [uuidOf(1), uuidOf(2)];
    const uuids = [traced, untraced];
    const { ports, sweep } = await scene(30, ...uuids.map((uuid) => aLedger({ uuid, trace: TRACE })));
    const placeInTrace = TRACE.replaceAll('b2', 'c3');
    const turns: SagaEvent[] = [];
    const observe = (event: SagaEvent) => {
      if (event.kind !== 'turn') return undefined;
      turns.push(event);
      return event.uuid === traced ? placeInTrace : undefined;
    };
    ports.deafTopics.add('frontend');
    expect(await sweep(pipeline, { observe })).to.deep.equal({ ...NOTHING, announced: 2, errors: 2 });
    const what = { outcome: 'announced', error: 'The broker is away' };
    expect(turns).to.deep.equal(
      uuids.map((uuid) => ({ kind: 'turn', by: 'janitor', uuid, trace: TRACE, ...what })),
    );
    expect(ports.logged).to.deep.equal(
      uuids.map((uuid) => ({
        severity: 'WARNING',
        message: 'janitor: an order stood still: announced',
        step: 'janitor',
        uuid,
        detail: 'frontend was published again, time 1',
        traceparent: uuid === traced ? placeInTrace : TRACE,
        ...what,
      })),
    );
    ports.deafTopics.clear();
    await ports.clock.finish(pause(ports.clock, 60_000));
    expect(await sweep()).to.deep.equal({ ...NOTHING, announced: 2 });
  });

  it('passes over an order that is gone when its turn comes', async () => {
    const { ports, sweep } = await scene(30, aLedger());
    const { due } = ports.store;
    ports.store.due = async (query) => {
      const found = await due(query);
      await ports.store.commit(found.map(({ id }) => ({ kind: 'remove', path: ledgerPath(id) })));
      return found;
    };
    expect(await sweep()).to.deep.equal(NOTHING);
    expect([ports.published, ports.logged]).to.deep.equal([[], []]);
  });
});

describe('A sweep of an order that waits', () => {
  const DAYS = 14 * 86_400;
  const waiting = (status: Status): Ledger => {
    const until = secondsLater(DAYS);
    const ledger = shopThatWaits(status);
    const waitsUntil = Object.fromEntries(Object.keys(ledger.waitsUntil ?? {}).map((name) => [name, until]));
    return { ...ledger, waitsUntil, sweepAt: until };
  };

  it('does nothing before the wait is over', async () => {
    const { ports, sweep } = await scene(DAYS - 1, waiting('DELIVERING'), {
      ...waiting('WAITING'),
      uuid: uuidOf(1),
      shard: 1,
    });
    expect(await sweep(shop)).to.deep.equal(NOTHING);
    expect(ports.published).to.deep.equal([]);
  });

  it('[anomaly 48] cancels an order that nobody has decided upon', async () => {
    const { sweep, stored } = await scene(DAYS, waiting('WAITING'));
    expect(await sweep(shop)).to.deep.equal({ ...NOTHING, failed: 1 });
    expect(await stored()).to.include({ status: 'FAILING', reason: DEADLINE_EXCEEDED });
  });

  it('shows people an order whose courier is silent, and lets it wait on', async () => {
    const ledger = waiting('DELIVERING');
    const { ports, sweep, stored } = await scene(DAYS, ledger);
    expect(await sweep(shop)).to.deep.equal({ ...NOTHING, announced: 1 });
    expect(await stored()).to.include({ status: 'DELIVERING', repeats: 1 });
    const letters = ports.published.filter(({ topic }) => topic === 'dead-letter');
    expect(letters.map(({ attributes }) => attributes[DEAD_LETTER.reason])).to.deep.equal([
      'No word has come in time',
    ]);
    // The next one comes later, and is the same letter for the desk.
    expect(await sweep(shop)).to.deep.equal(NOTHING);
  });
});

describe('An announcement that a person asks for', () => {
  it('publishes at once what the ledger calls for, also where the order rests, which then does not change', async () => {
    const ledgers = pipeline.statuses.map((status, number) =>
      aLedgerThatIs(status, { uuid: uuidOf(number) }),
    );
    const { ports } = await scene(0, ...ledgers);
    await takeTurns(
      pipeline,
      'janitor',
      ledgers.map(({ uuid }) => announceTask(pipeline, uuid)),
      ports,
    );
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(pipeline.statuses.map(pipeline.topicOf));
    expect(ports.store.commits.flat().map(({ path }) => path)).to.deep.equal(
      ledgers.filter(({ sweepAt }) => sweepAt !== null).map(({ uuid }) => ledgerPath(uuid)),
    );
  });

  it('gives no deadline to an order that came to rest when nothing followed in its status', async () => {
    const rested = { ...aLedgerThatIs('CREATED'), sweepAt: null, expireAt: null };
    const { ports } = await scene(0, rested);
    await takeTurns(pipeline, 'janitor', [announceTask(pipeline, rested.uuid)], ports);
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['order-created']);
    expect(ports.store.commits).to.deep.equal([]);
  });
});
