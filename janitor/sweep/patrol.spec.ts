import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { ledgerPath } from '../../saga/ledger/ledger.ts';
import { aLedger, UUID } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { createPatrol } from './patrol.ts';

async function scene(intervalSeconds: number) {
  const ports = await recordedPorts({ [ledgerPath(UUID)]: aLedger() });
  const patrol = createPatrol(pipeline, ports, intervalSeconds);
  const pause = (ms: number) =>
    ports.clock.finish(
      new Promise<void>((resolve) => {
        ports.clock.after(ms, resolve);
      }),
    );
  return { ports, patrol, pause };
}

describe('The patrol', () => {
  it('sweeps again and again, a pause apart', async () => {
    const { ports, patrol, pause } = await scene(10);
    patrol.start();
    await pause(29_000);
    expect(ports.published).to.have.length(0);
    await pause(2_000);
    expect(ports.published).to.have.length(1);
    await pause(60_000);
    expect(ports.published).to.have.length(2);
    await patrol.stop();
  });

  it('goes on after the store was away', async () => {
    const { ports, patrol, pause } = await scene(40);
    const { due } = ports.store;
    ports.store.due = () => Promise.reject(new Error('The store is away'));
    patrol.start();
    await pause(41_000);
    expect(ports.logged.map(({ message }) => message)).to.deep.equal(['janitor: the sweep was broken off']);
    ports.store.due = due;
    await pause(40_000);
    expect(ports.published).to.have.length(1);
    await patrol.stop();
  });

  it('begins no further sweep when it is stopped during one', async () => {
    const { ports, patrol, pause } = await scene(40);
    const { due } = ports.store;
    let sweepCount = 0;
    let stopping: Promise<void> | undefined;
    ports.store.due = (query) => {
      if (query.where.shard === 0) sweepCount++;
      stopping ??= patrol.stop();
      return due(query);
    };
    patrol.start();
    await pause(200_000);
    await stopping;
    expect(sweepCount).to.equal(1);
  });

  it('ends when it is stopped, and never begins where there is no interval', async () => {
    for (const intervalSeconds of [10, 0]) {
      const { ports, patrol, pause } = await scene(intervalSeconds);
      patrol.start();
      if (intervalSeconds > 0) await patrol.stop();
      await pause(100_000);
      expect(ports.published).to.deep.equal([]);
    }
  });
});
