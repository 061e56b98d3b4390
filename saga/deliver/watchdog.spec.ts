import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { aLedgerThatIs, UUID } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { type Ledger, ledgerPath } from '../ledger/ledger.ts';
import { startWatchdog } from './watchdog.ts';

/** A watchdog over `inventory`, which reads `order-created`, and one order. */
async function scene(ledger: Ledger) {
  const ports = await recordedPorts({ [ledgerPath(ledger.uuid)]: ledger });
  const barked: string[] = [];
  let deliveredCount = 0;
  const watched = {
    subscription: 'order-created-sub',
    topic: 'order-created',
    inbox: { deliveredCount: () => deliveredCount },
  };
  const stop = startWatchdog(pipeline, [watched], ports, (error) => barked.push(error.message));
  return {
    ports,
    barked,
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
    const { barked, pass } = await scene(announcedLater('CREATED'));
    await pass(60);
    expect(barked).to.deep.equal([]);
    await pass(9 * 30);
    expect(barked).to.deep.equal([
      `order-created-sub has delivered nothing for 60 s, but order ${UUID} waits for it`,
    ]);
    await pass(3_600);
    expect(barked).to.have.length(1);
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
    expect(stopped.barked).to.deep.equal([]);
  });
});
