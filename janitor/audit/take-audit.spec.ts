import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { type Snapshot, StoreError, type StoreErrorKind } from '../../saga/ports/store.ts';
import { aWorld, place } from '../../test/support/audited-world.ts';
import { NOW } from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import type { AuditReport } from './audit-report.ts';
import { auditRoutes } from './audit-routes.ts';
import { takeAudit } from './take-audit.ts';

/** Ports whose snapshot fails so often at each question before it answers. */
async function portsThatFail(failuresPerCall: number, kind: StoreErrorKind = 'unavailable') {
  const world = aWorld();
  place(world, 1, { done: 3 });
  const ports = await recordedPorts(Object.fromEntries(world));
  let snapshots = 0;
  const failing = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
    const failures = new Map<string, number>();
    return async (...args: A): Promise<R> => {
      const call = JSON.stringify(args);
      const failed = failures.get(call) ?? 0;
      failures.set(call, failed + 1);
      if (failed < failuresPerCall) throw new StoreError(kind, 'away');
      return work(...args);
    };
  };
  const snapshot = failing(async (): Promise<Snapshot> => {
    snapshots++;
    const { read, scan, count } = await ports.store.snapshot();
    return { read: failing(read), scan: failing(scan), count };
  });
  return { ports: { ...ports, store: { ...ports.store, snapshot } }, snapshots: () => snapshots };
}

describe('Taking an audit', () => {
  it('says when it was taken', async () => {
    const { ports } = await portsThatFail(0);
    const { checkedAt, counts } = await takeAudit(pipeline, ports);
    expect([checkedAt, counts.orders]).to.deep.equal([NOW, 1]);
  });

  it('[anomaly 37] asks again, after growing pauses, while no answer comes, and reads one snapshot only', async () => {
    const { ports, snapshots } = await portsThatFail(4);
    const { counts, violationCount } = await ports.clock.finish(takeAudit(pipeline, ports));
    expect([counts.orders, violationCount, snapshots()]).to.deep.equal([1, 0, 1]);
    expect(ports.clock.pausesMs.slice(0, 4)).to.deep.equal([200, 400, 800, 1600]);
  });

  it('gives up where no answer comes at all, or will never come', async () => {
    for (const [failures, kind] of [
      [5, 'unavailable'],
      [1, 'rejected'],
    ] as const) {
      const { ports } = await portsThatFail(failures, kind);
      const outcome = await ports.clock.finish(
        takeAudit(pipeline, ports).then(
          () => 'done',
          (error) => error.kind,
        ),
      );
      expect(outcome).to.equal(kind);
    }
  });
});

describe('GET /audit', () => {
  const request = { params: {}, query: undefined, body: undefined, header: () => undefined };

  it('answers everybody who asks meanwhile with the one audit that is under way, and then takes a new one', async () => {
    const { ports, snapshots } = await portsThatFail(0);
    const [get] = auditRoutes(pipeline, ports);
    const asked = () => ports.clock.finish(Promise.all([get?.handle(request), get?.handle(request)]));
    const answers = await asked();
    const body = answers[0]?.body as AuditReport | undefined;
    const checkedAt = body?.checkedAt;
    expect(answers[0]).to.deep.equal({
      status: 200,
      body: { ...(await takeAudit(pipeline, ports)), checkedAt },
    });
    expect(answers[1]).to.deep.equal(answers[0]);
    expect(snapshots()).to.equal(2);
    // It gives way to orders again and again, each time for no longer than they take.
    expect(new Set(ports.clock.pausesMs)).to.deep.equal(new Set([0]));
    await asked();
    expect(snapshots()).to.equal(3);
  });
});
