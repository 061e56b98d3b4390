import { expect } from 'chai';
import { readTopology } from '../../programs/config.ts';
import { BATCH_MAX } from '../../saga/commit/group-commit.ts';
import { DEAD_LETTER, messageFor } from '../../saga/deliver/message.ts';
import { nextSweep, redriven } from '../../saga/ledger/deadline.ts';
import { advance, fail, type Saga, STATUSES, sagaPath } from '../../saga/ledger/ledger.ts';
import { type Path, readOne } from '../../saga/ports/store.ts';
import { takeTurns } from '../../saga/step/turns.ts';
import { aSaga, aSagaThatIs, NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { REDRIVES_UNTIL_SHOWN, redriveTask, sweep } from './sweep.ts';

const topology = readTopology();

/** Ledgers in the store, and the clock so many seconds after they came to stand where they are. */
async function scene(elapsedSeconds: number, ...sagas: Saga[]) {
  const documents: Record<Path, object> = Object.fromEntries(
    sagas.map((saga) => [sagaPath(saga.uuid), saga]),
  );
  const ports = await recordedPorts(documents);
  const pause = new Promise<void>((resolve) => {
    ports.clock.after(1000 * elapsedSeconds, resolve);
  });
  await ports.clock.finish(pause);
  return {
    ports,
    sweep: (declared = topology) => ports.clock.finish(sweep(ports, declared)),
    ledger: (uuid = UUID) => readOne(ports.store, sagaPath(uuid)),
  };
}
const NOTHING = { redriven: 0, failed: 0, errors: 0 };
const secondsLater = (elapsedSeconds: number) => new Date(NOW.getTime() + 1000 * elapsedSeconds);

describe('A sweep', () => {
  for (const status of ['RECEIVED', 'CREATED', 'RESERVED', 'FAILING'] as const) {
    it(`[anomaly 18] publishes again what a ledger calls for that stands as ${status}`, async () => {
      const saga = aSagaThatIs(status);
      const { ports, sweep, ledger } = await scene(30, saga);
      expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 1 });
      expect(await ledger()).to.deep.equal(redriven(saga, secondsLater(30)));
      expect(ports.published).to.deep.equal([messageFor(saga)]);
    });
  }

  it('leaves alone whose time has not come, and who rests', async () => {
    const sagas = STATUSES.map((status, number) => aSagaThatIs(status, { uuid: uuidOf(number) }));
    const { ports, sweep } = await scene(29.999, ...sagas);
    expect(await sweep()).to.deep.equal(NOTHING);
    expect([ports.published, ports.store.commits]).to.deep.equal([[], []]);
  });

  it('puts itself off where the order has moved on since, and says and publishes nothing', async () => {
    const created = advance(aSaga(), 'order', 'CREATED', {}, secondsLater(20));
    const { ports, sweep, ledger } = await scene(30, created);
    expect(await sweep()).to.deep.equal(NOTHING);
    expect([ports.published, ports.logged]).to.deep.equal([[], []]);
    expect(await ledger()).to.deep.equal({ ...created, sweepAt: secondsLater(50) });
  });

  it('[anomaly 34] comes back to a ledger only after its pause', async () => {
    const { ports, sweep } = await scene(30, aSaga());
    await sweep();
    expect(await sweep()).to.deep.equal(NOTHING);
    expect(ports.published).to.have.length(1);
  });

  for (const status of ['RECEIVED', 'CREATED', 'RESERVED'] as const) {
    it(`[anomaly 27] fails an order that stood as ${status} until its deadline, and tells the janitor`, async () => {
      const saga = aSagaThatIs(status);
      const { ports, sweep, ledger } = await scene(900, saga);
      expect(await sweep()).to.deep.equal({ ...NOTHING, failed: 1 });
      const detail = `The order stood as ${status} for more than 900 s`;
      const failing = fail(saga, 'janitor', 'DEADLINE_EXCEEDED', detail, secondsLater(900));
      expect(await ledger()).to.deep.equal(failing);
      expect(ports.published).to.deep.equal([messageFor(failing)]);
    });
  }

  it('[anomaly 12] never gives a compensation up, and shows it to people once it has failed often', async () => {
    const base = aSagaThatIs('FAILING');
    const saga = { ...base, redrives: REDRIVES_UNTIL_SHOWN - 1 };
    const { ports, sweep, ledger } = await scene(1_000_000, saga);
    expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 1 });
    expect((await ledger())?.status).to.equal('FAILING');
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['error', 'dead-letter']);
    expect(ports.published[1]?.data).to.deep.equal(messageFor(base).data);
    expect(ports.logged.filter(({ severity }) => severity === 'ERROR')).to.deep.equal([
      {
        severity: 'ERROR',
        message: 'janitor: a compensation does not succeed',
        step: 'janitor',
        uuid: UUID,
        redrives: REDRIVES_UNTIL_SHOWN,
      },
    ]);
    expect((await ledger())?.sweepAt).to.deep.equal(
      nextSweep(base, REDRIVES_UNTIL_SHOWN, secondsLater(1_000_000)),
    );
  });

  it('shows where it came from by the name that the topology has for it', async () => {
    const { 'error-sub': settings } = topology.subscriptions;
    if (settings === undefined) throw new Error('The janitor reads errors by another subscription');
    const renamed = { ...topology, subscriptions: { failures: settings } };
    const saga = { ...aSagaThatIs('FAILING'), redrives: REDRIVES_UNTIL_SHOWN - 1 };
    const { ports, sweep } = await scene(1_000_000, saga);
    await sweep(renamed);
    expect(ports.published[1]?.attributes[DEAD_LETTER.subscription]).to.equal('failures');
  });

  it('[anomaly 12] shows it again when people have dealt with it and it still does not succeed', async () => {
    const idAfter = async (redrives: number) => {
      const { ports, sweep } = await scene(1_000_000, { ...aSagaThatIs('FAILING'), redrives: redrives - 1 });
      await sweep();
      return ports.published[1]?.attributes[DEAD_LETTER.messageId];
    };
    const ids = await Promise.all([5, 6, 9, 10, 19, 20].map(idAfter));
    const id = (generation: number) => `compensation/${UUID}/${generation}`;
    expect(ids).to.deep.equal([id(0), id(0), id(0), id(1), id(1), id(2)]);
  });

  it('[anomaly 28] obeys a step that was faster: the ledger has moved on when its turn comes', async () => {
    const { ports, sweep, ledger } = await scene(900, aSaga());
    const created = aSagaThatIs('CREATED');
    ports.store.commitFaults.push(async () => {
      const { version } = (await ports.store.read([sagaPath(UUID)])).get(sagaPath(UUID)) ?? {};
      if (version === undefined) throw new Error('There is no ledger');
      const { status, history } = created;
      const sweepAt = secondsLater(2_000);
      const fields = { status, history, sweepAt };
      await ports.store.commit([{ kind: 'update', path: sagaPath(UUID), fields, version }]);
    });
    expect(await sweep()).to.deep.equal(NOTHING);
    expect((await ledger())?.status).to.equal('CREATED');
    expect(ports.published).to.deep.equal([]);
  });

  it('in two places at once moves each ledger on once', async () => {
    const sagas = Array.from({ length: 20 }, (_, number) => aSaga({ uuid: uuidOf(number) }));
    const { ports } = await scene(30, ...sagas);
    const reports = await ports.clock.finish(Promise.all([sweep(ports, topology), sweep(ports, topology)]));
    expect(reports.reduce((total, { redriven }) => total + redriven, 0)).to.equal(20);
    expect(ports.published).to.have.length(20);
  });

  it('goes on where more ledgers are due than one batch holds', async () => {
    const sagas = Array.from({ length: 600 }, (_, number) => aSaga({ uuid: uuidOf(8 * number) }));
    const { sweep } = await scene(30, ...sagas);
    expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 600 });
  });

  it('[anomaly 27] gets past more ledgers than a batch holds that can not be moved', async () => {
    const stuck = Array.from({ length: BATCH_MAX + 1 }, (_, number) => aSaga({ uuid: uuidOf(8 * number) }));
    const last = uuidOf(8 * BATCH_MAX);
    const { ports, sweep } = await scene(30, ...stuck);
    ports.store.poison = (path) => path !== sagaPath(last) && path.startsWith('sagas/');
    expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 1, errors: BATCH_MAX });
    expect(ports.published.map(({ attributes }) => attributes['ce-subject'])).to.deep.equal([last]);
  });

  it('[anomaly 23] is not held up by a ledger that can not be moved', async () => {
    const { ports, sweep } = await scene(30, aSaga({ uuid: uuidOf(1) }), aSaga({ uuid: uuidOf(9) }));
    ports.store.poison = (path) => path === sagaPath(uuidOf(1));
    expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 1, errors: 1 });
  });

  it('counts what it could not publish, and publishes it the next time', async () => {
    const { ports, sweep } = await scene(30, aSaga());
    ports.deafTopics.add('frontend');
    expect(await sweep()).to.deep.equal({ ...NOTHING, redriven: 1, errors: 1 });
  });
});

describe('A re-drive that a person asks for', () => {
  it('publishes at once what the ledger calls for, also where the order rests, which then does not change', async () => {
    const sagas = STATUSES.map((status, number) => aSagaThatIs(status, { uuid: uuidOf(number) }));
    const { ports } = await scene(0, ...sagas);
    await takeTurns(
      'janitor',
      sagas.map(({ uuid }) => redriveTask(uuid)),
      ports,
    );
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal([
      'frontend',
      'order-created',
      'inventory-updated',
      'payment-created',
      'error',
      'order-canceled',
    ]);
    expect(ports.store.commits.flat().map(({ path }) => path)).to.have.length(4);
  });

  it('gives no deadline to an order that came to rest when nothing followed in its status', async () => {
    const rested = { ...aSagaThatIs('CREATED'), sweepAt: null };
    const { ports } = await scene(0, rested);
    await takeTurns('janitor', [redriveTask(rested.uuid)], ports);
    expect(ports.published.map(({ topic }) => topic)).to.deep.equal(['order-created']);
    expect(ports.store.commits).to.deep.equal([]);
  });
});
