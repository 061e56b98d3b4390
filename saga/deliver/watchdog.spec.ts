import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedgerThatIs, NOW, UUID, uuidOf } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { type Ledger, ledgerPath } from '../ledger/ledger.ts';
import { startWatchdog } from './watchdog.ts';

/** A watchdog over two readers of `order-created`, both as silent or not, and one order. */
async function scene(ledger: Ledger) {
  const ports = await recordedPorts({ [ledgerPath(ledger.uuid)]: ledger });
  const barked: string[] = [];
  const lookedAfter: number[] = [];
  const { due } = ports.store;
  ports.store.due = (query) => {
    lookedAfter.push((ports.clock.now().getTime() - NOW.getTime()) / 1000);
    return due(query);
  };
  let deliveredCount = 0;
  const watched = ['order-created-sub', 'order-created-clerk-sub'].map((subscription) => ({
    subscription,
    topic: 'order-created',
    inbox: { deliveredCount: () => deliveredCount },
  }));
  const stop = startWatchdog(pipeline, watched, ports, (error) => barked.push(error.message));
  return {
    ports,
    barked,
    /** When it looked at the orders, in seconds from the beginning. */
    lookedAfter,
    stop,
    deliver: () => {
      deliveredCount++;
    },
    pass: (seconds: number) =>
      ports.clock.finish(
        new Promise<void>((resolve) => {
          ports.clock.after(1000 * seconds, resolve);
        }),
      ),
  };
}
/** An order that was announced a second after the watchdog began. */
const announcedLater = (status: 'CREATED' | 'RESERVED' | 'PAID', seconds = 1): Ledger => {
  const ledger = aLedgerThatIs(status);
  const at = (line: string) => new Date(new Date(line.split(' ')[0] ?? '').getTime() + 1000 * seconds);
  const history = ledger.history.map((line) => line.replace(/^\S+/, at(line).toISOString()));
  return { ...ledger, history };
};

describe('The watchdog', () => {
  it('tells of a subscription that stays silent while an order waits for it, once', async () => {
    const { barked, lookedAfter, pass } = await scene(announcedLater('CREATED'));
    await pass(60);
    expect(barked).to.deep.equal([]);
    await pass(9 * 30);
    expect(barked).to.deep.equal([
      `order-created-sub has delivered nothing for 60 s, but order ${UUID} waits for it`,
    ]);
    const looks = lookedAfter.length;
    await pass(3_600);
    expect([barked.length, lookedAfter.length]).to.deep.equal([1, looks]);
  });

  it('looks at the orders only while a subscription is silent', async () => {
    const { lookedAfter, pass, deliver } = await scene(announcedLater('RESERVED'));
    await pass(29);
    deliver();
    await pass(122);
    expect(lookedAfter).to.deep.equal([90, 120, 150]);
  });

  for (const status of ['RESERVED', 'PAID'] as const) {
    it(`lets a subscription be silent while orders wait for others only: ${status}`, async () => {
      const { barked, pass } = await scene(announcedLater(status));
      await pass(3_600);
      expect(barked).to.deep.equal([]);
    });
  }

  it('lets a subscription be silent that has delivered since the order was announced', async () => {
    const { barked, pass, deliver } = await scene(announcedLater('CREATED'));
    await pass(20);
    deliver();
    await pass(3_600);
    expect(barked).to.deep.equal([]);
  });

  it('gives a message as long as a minute to arrive, from its announcement', async () => {
    // The second look, after 90 s, is at its shard; the next one at that comes four minutes later.
    const ledger = { ...announcedLater('CREATED', 30), uuid: uuidOf(2), shard: 2 };
    const silent = await scene(ledger);
    await silent.pass(91);
    expect(silent.barked).to.have.length(1);

    const later = await scene({ ...announcedLater('CREATED', 30.001), uuid: uuidOf(2), shard: 2 });
    await later.pass(329);
    expect(later.barked).to.deep.equal([]);
    await later.pass(2);
    expect(later.barked).to.have.length(1);

    // What has been delivered by then may have been this message.
    const heard = await scene(ledger);
    await heard.pass(29);
    heard.deliver();
    await heard.pass(3_600);
    expect(heard.barked).to.deep.equal([]);
  });

  it('takes a repeated announcement for one', async () => {
    const ledger = announcedLater('CREATED');
    const repeated = {
      ...ledger,
      repeats: 2,
      sweepAt: new Date(new Date(ledger.history[1]?.split(' ')[0] ?? '').getTime() + 600_000),
    };
    const { barked, pass, deliver } = await scene(repeated);
    await pass(100);
    deliver();
    await pass(3_600);
    expect(barked).to.have.length(1);
  });

  it("lets a ledger alone that can't be right: it waits for people", async () => {
    const { barked, pass } = await scene({ ...announcedLater('CREATED'), reason: 'PAYMENT_ERROR' });
    await pass(3_600);
    expect(barked).to.deep.equal([]);
  });

  it('keeps quiet where the store is away, and when it is stopped', async () => {
    const away = await scene(announcedLater('CREATED'));
    away.ports.store.due = () => Promise.reject(new Error('The store is away'));
    await away.pass(600);
    expect(away.barked).to.deep.equal([]);
    expect(away.ports.logged[0]).to.include({ severity: 'WARNING', error: 'Error: The store is away' });
    const stopped = await scene(announcedLater('CREATED'));
    stopped.stop();
    await stopped.pass(600);
    expect([stopped.barked, stopped.lookedAfter]).to.deep.equal([[], []]);
  });

  it('keeps quiet where it is stopped while it looks, and looks no more', async () => {
    const { ports, barked, lookedAfter, stop, pass } = await scene(announcedLater('CREATED'));
    const { due } = ports.store;
    ports.store.due = async (query) => {
      const found = await due(query);
      if (found.length > 0) stop();
      return found;
    };
    await pass(3_600);
    expect([barked, lookedAfter.length]).to.deep.equal([[], 1]);
  });
});
