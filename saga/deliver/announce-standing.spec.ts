import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedger, aLedgerThatIs, NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { hasEnded } from '../ledger/deadline.ts';
import { historyLine } from '../ledger/history.ts';
import { type Ledger, ledgerPath } from '../ledger/ledger.ts';
import { announceStanding, RECENT_MINUTES } from './announce-standing.ts';
import { messageFor } from './message.ts';

async function scene(ledgers: readonly Ledger[]) {
  const ports = await recordedPorts(
    Object.fromEntries(ledgers.map((ledger) => [ledgerPath(ledger.uuid), ledger])),
  );
  const announced = await announceStanding(pipeline, ports);
  return { ports, announced };
}

/** The same ledger, but everything in it happened so many minutes later. */
function minutesLater(ledger: Ledger, minutes: number): Ledger {
  const later = (line: string) => {
    const [at = '', status = '', by = ''] = line.split(' ');
    return historyLine(status, by, new Date(Date.parse(at) + 60_000 * minutes));
  };
  return { ...ledger, history: ledger.history.map(later) };
}

describe('When an engine starts whose broker has forgotten everything', () => {
  for (const status of pipeline.statuses) {
    it(`[anomaly 18] announces again an order that has just become ${status}, and changes nothing`, async () => {
      const ledger = aLedgerThatIs(status);
      const { ports, announced } = await scene([ledger]);
      expect(announced).to.equal(1);
      expect(ports.published).to.deep.equal(
        pipeline.topicsAgain(ledger).map((topic) => messageFor(pipeline, ledger, topic)),
      );
      expect(ports.store.commits).to.deep.equal([]);
    });
  }

  it('announces whatever stands, however long it has stood, and no end that is old', async () => {
    const ledgers = pipeline.statuses.map((status, number) =>
      aLedgerThatIs(status, { uuid: uuidOf(number) }),
    );
    const last = minutesLater(aLedger({ uuid: uuidOf(99) }), RECENT_MINUTES + 1);
    const { ports, announced } = await scene([...ledgers, last]);
    const ended = ledgers.filter(hasEnded);
    expect(ended).not.to.deep.equal([]);
    expect(announced).to.equal(ledgers.length + 1 - ended.length);
    const told = ports.published.map(({ attributes }) => attributes['ce-subject']);
    for (const { uuid } of ended) expect(told).not.to.include(uuid);
  });

  it('[anomaly 18] announces an end that came shortly before the last sign of life, to the millisecond', async () => {
    const MS = 1 / 60_000;
    const [tooOld, recent, last] = [0, MS, RECENT_MINUTES + MS].map((minutes, number) =>
      minutesLater(aLedgerThatIs(pipeline.success, { uuid: uuidOf(number) }), minutes),
    ) as [Ledger, Ledger, Ledger];
    const { ports, announced } = await scene([tooOld, recent, last]);
    expect([announced, ports.published]).to.deep.equal([
      2,
      [recent, last].map((ledger) => messageFor(pipeline, ledger)),
    ]);
  });

  it('[anomaly 37] ends with the error of a broker that does not take everything: the engine must not start', async () => {
    const ledgers = [aLedger(), aLedgerThatIs('CREATED', { uuid: uuidOf(0x20000000) })];
    const ports = await recordedPorts(
      Object.fromEntries(ledgers.map((ledger) => [ledgerPath(ledger.uuid), ledger])),
    );
    ports.deafTopics.add('order-created');
    const failure = await announceStanding(pipeline, ports).catch((error: Error) => error);
    expect(failure).to.have.property('message', 'The broker is away');
  });

  it('reckons from the last sign of life, however long the engine was away', async () => {
    const ended = aLedgerThatIs(pipeline.success);
    const ports = await recordedPorts({ [ledgerPath(UUID)]: ended });
    const years = new Promise<void>((resolve) => {
      ports.clock.after(1e10, resolve);
    });
    await ports.clock.finish(years);
    expect(ports.clock.now().getTime() - NOW.getTime()).to.be.at.least(1e10);
    expect(await announceStanding(pipeline, ports)).to.equal(1);
  });

  it('leaves out an order that came to rest where a later release lets a step follow', async () => {
    const rested = aLedgerThatIs('CREATED', { sweepAt: null, expireAt: null });
    const last = minutesLater(aLedger({ uuid: uuidOf(99) }), RECENT_MINUTES + 1);
    const { ports } = await scene([rested, last]);
    expect(ports.logged).to.deep.equal([]);
    expect(ports.published).to.deep.equal([messageFor(pipeline, last)]);
  });

  it('goes through all of them, page by page, each once', async () => {
    const ledgers = Array.from({ length: 700 }, (_, number) =>
      minutesLater(aLedger({ uuid: uuidOf(1000 + number) }), RECENT_MINUTES + 1),
    );
    // A whole page of ends that are old: of them the broker is told nothing.
    const ended = Array.from({ length: 500 }, (_, number) =>
      aLedgerThatIs(pipeline.success, { uuid: uuidOf(number) }),
    );
    const { ports, announced } = await scene([...ended, ...ledgers]);
    expect(announced).to.equal(700);
    const told = ports.published.map(({ attributes }) => attributes['ce-subject'] ?? '');
    expect(told.toSorted()).to.deep.equal(ledgers.map(({ uuid }) => uuid).toSorted());
  });

  it('leaves out a ledger that can not be right, says so, and goes on', async () => {
    const wrong = { ...aLedger({ uuid: uuidOf(1) }), shard: 77 };
    const { ports, announced } = await scene([wrong, aLedger({ uuid: uuidOf(2) })]);
    expect(announced).to.equal(1);
    expect(ports.logged).to.deep.equal([
      {
        severity: 'ERROR',
        message: 'A ledger that can not be right was not announced',
        uuid: uuidOf(1),
        detail: 'its shard is 77, not 1',
      },
    ]);
  });
});
