import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { pipeline } from '../pipeline.ts';
import { messageFor } from '../saga/deliver/message.ts';
import { Problem } from '../saga/http/http.ts';
import { DEADLINE_SECONDS } from '../saga/ledger/deadline.ts';
import { type Ledger, ledgerPath, receive, tombstone } from '../saga/ledger/ledger.ts';
import { type Path, readOne } from '../saga/ports/store.ts';
import { LINES_MAX, type Order } from '../shop/order.ts';
import { aLedgerThatIs, anOrder, NOW, TRACE, UUID, uuidOf } from '../test/support/builders.ts';
import { recordedPorts } from '../test/support/recorded-ports.ts';
import { createOrderIntake } from './accept-orders.ts';

async function scene(documents: Readonly<Record<Path, object>> = {}) {
  const ports = await recordedPorts(documents);
  const intake = createOrderIntake(pipeline, ports, DEADLINE_SECONDS);
  return { ports, intake, ledger: (uuid = UUID) => readOne(ports.store, ledgerPath(uuid)) };
}
const received = (uuid = UUID): Ledger =>
  receive(pipeline, uuid, anOrder(), 'frontend', NOW, DEADLINE_SECONDS);
const OTHER = anOrder({ items: [{ item: 'widget', quantity: 3 }] });

/** What came of an order: its ledger, or the problem in a few words. */
const answer = (accepted: Promise<Ledger>): Promise<unknown> =>
  accepted.catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    return `${error.status}: ${error.detail}`;
  });
const REUSED = '422: Another order has this Idempotency-Key: take a new one';
/** What a customer is told whose commit was not answered. */
const UNKNOWN = `503: Whether the order was stored is not known: look at /order/${UUID} or send it again with the same Idempotency-Key`;
const UNKNOWN_WITHOUT_KEY = `503: Whether the order was stored is not known: look at /order/${UUID} before you order again`;
const SHUTTING_DOWN = '503: The service is shutting down; the order was not accepted, try again';
const NOT_STORED = '503: The order could not be stored; the order was not accepted, try again';

describe('The order intake', () => {
  it('[anomaly 18] stores an order, then publishes it, then answers', async () => {
    const { ports, intake, ledger } = await scene();
    const accepted = intake.accept(UUID, anOrder(), true).then((ledger) => {
      ports.journal.push('answer');
      return ledger;
    });
    expect(await accepted).to.deep.equal(received());
    expect(ports.journal).to.deep.equal(['commit', 'publish frontend', 'answer']);
    expect([await ledger(), ports.published]).to.deep.equal([received(), [messageFor(pipeline, received())]]);
    expect(ports.logged).to.deep.equal([]);
  });

  it('remembers under which trace an order came', async () => {
    const { intake, ledger } = await scene();
    await intake.accept(UUID, anOrder(), true, TRACE);
    expect(await ledger()).to.deep.equal({ ...received(), trace: TRACE });
  });

  it('[anomaly 18] accepts what is stored even if the broker could not be reached', async () => {
    const { ports, intake, ledger } = await scene();
    ports.deafTopics.add('frontend');
    expect(await intake.accept(UUID, anOrder(), true)).to.deep.equal(received());
    expect(await ledger()).to.deep.equal(received());
    expect(ports.logged).to.deep.equal([
      {
        severity: 'WARNING',
        message: 'frontend: an order was stored but not yet published',
        uuid: UUID,
        error: 'The broker is away',
      },
    ]);
  });

  it('[anomaly 37] refuses orders while the broker is known to be away, and accepts them again by itself', async () => {
    const { ports, intake, ledger } = await scene();
    const { missing } = ports.bus;
    ports.bus.missing = () => Promise.reject(new Error('The broker is away'));
    ports.deafTopics.add('frontend');
    await intake.accept(UUID, anOrder(), true);
    const away = '503: The broker does not answer; the order was not accepted, try again';
    expect(await answer(intake.accept(uuidOf(2), anOrder(), true))).to.equal(away);
    expect(await ledger(uuidOf(2))).to.equal(undefined);
    const wait = (ms: number) =>
      ports.clock.finish(
        new Promise<void>((resolve) => {
          ports.clock.after(ms, resolve);
        }),
      );
    await wait(5_000);
    expect(await answer(intake.accept(uuidOf(2), anOrder(), true))).to.equal(away);
    ports.bus.missing = missing;
    ports.deafTopics.delete('frontend');
    await wait(2_000);
    expect(await intake.accept(uuidOf(2), anOrder(), true)).to.include({ status: 'RECEIVED' });
    expect(ports.published).to.have.length(1);
    await ports.clock.finish(intake.drain());
  });

  it('[anomaly 18] publishes again what still stands at the beginning when the customer repeats it', async () => {
    const { ports, intake } = await scene({ [ledgerPath(UUID)]: received() });
    expect(await intake.accept(UUID, anOrder(), false)).to.deep.equal(received());
    expect(ports.journal).to.deep.equal(['publish frontend']);
  });

  it('[anomaly 40] finds the first order under the same key, however far it has come', async () => {
    for (const status of ['CREATED', 'PAID', 'CANCELED'] as const) {
      const { ports, intake } = await scene({ [ledgerPath(UUID)]: aLedgerThatIs(status) });
      expect(await intake.accept(UUID, anOrder(), false)).to.deep.equal(aLedgerThatIs(status));
      expect(ports.journal).to.deep.equal([]);
    }
  });

  it('[anomaly 40] refuses another order under the same key, and keeps the first one as it is', async () => {
    const { intake, ledger } = await scene({ [ledgerPath(UUID)]: received() });
    for (const other of [OTHER, anOrder({ user: 'jill' }), anOrder({ paymentError: 'null' })]) {
      expect(await answer(intake.accept(UUID, other, false))).to.equal(REUSED);
    }
    expect(await ledger()).to.deep.equal(received());
  });

  it('[anomaly 8] refuses the order whose failure overtook it, and says that', async () => {
    const overtaken = tombstone(
      pipeline,
      UUID,
      { by: 'janitor', reason: 'PAYMENT_ERROR', detail: 'It was never received', now: NOW },
      DEADLINE_SECONDS,
    );
    const { intake, ledger } = await scene({ [ledgerPath(UUID)]: overtaken });
    expect(await answer(intake.accept(UUID, anOrder(), false))).to.equal(
      '422: The order with this Idempotency-Key was canceled before it came: take a new one to order again',
    );
    expect(await ledger()).to.deep.equal(overtaken);
  });

  it('[anomaly 40] makes one order of the same key at the same time', async () => {
    const { ports, intake, ledger } = await scene();
    const accepted = [anOrder(), OTHER, anOrder()].map((order) => answer(intake.accept(UUID, order, false)));
    expect(await Promise.all(accepted)).to.deep.equal([received(), REUSED, received()]);
    expect([await ledger(), ports.journal]).to.deep.equal([received(), ['commit', 'publish frontend']]);
  });

  it('[anomaly 40] makes one order of the same key at the same time in two instances', async () => {
    const { ports, intake, ledger } = await scene();
    const other = createOrderIntake(pipeline, ports, DEADLINE_SECONDS);
    const answers: unknown[] = [];
    ports.store.commitFaults.push(async () => {
      answers.push(await answer(other.accept(UUID, OTHER, false)));
    });
    answers.push(await ports.clock.finish(answer(intake.accept(UUID, anOrder(), false))));
    const stored = receive(pipeline, UUID, OTHER, 'frontend', NOW, DEADLINE_SECONDS);
    expect([answers, await ledger()]).to.deep.equal([[stored, REUSED], stored]);
  });

  it("[anomaly 33] stores all that arrive meanwhile in one commit, without reading what can't be there", async () => {
    const { ports, intake } = await scene();
    const uuids = Array.from({ length: 100 }, (_, number) => uuidOf(number));
    const accepted = uuids.map((uuid) => intake.accept(uuid, anOrder(), true));
    expect(await Promise.all(accepted)).to.deep.equal(uuids.map(received));
    expect([ports.store.commits.length, ports.store.reads, ports.published.length]).to.deep.equal([
      1,
      [],
      100,
    ]);
  });

  it('[anomaly 19] stores and accepts once what went through although it seemed to fail', async () => {
    for (const fault of ['lost answer', 'own success'] as const) {
      const { ports, intake, ledger } = await scene();
      ports.store.commitFaults.push(fault);
      expect(await ports.clock.finish(intake.accept(UUID, anOrder(), true))).to.deep.equal(received());
      expect([await ledger(), ports.journal]).to.deep.equal([received(), ['commit', 'publish frontend']]);
    }
  });

  it('[anomaly 37] refuses an order while the store is away, and accepts the next one when it is back', async () => {
    const { ports, intake } = await scene();
    ports.store.readFaults = Number.POSITIVE_INFINITY;
    expect(await ports.clock.finish(answer(intake.accept(UUID, anOrder(), false)))).to.equal(UNKNOWN);
    expect(ports.logged).to.deep.equal([
      {
        severity: 'ERROR',
        message: 'frontend: an order may not have been stored',
        uuid: UUID,
        error: 'StoreError: The spec says: unavailable',
      },
    ]);
    ports.store.readFaults = 0;
    expect(await intake.accept(UUID, anOrder(), false)).to.deep.equal(
      receive(pipeline, UUID, anOrder(), 'frontend', ports.clock.now(), DEADLINE_SECONDS),
    );
  });

  it('[anomaly 37] tells the customer when to try again', async () => {
    const { ports, intake } = await scene();
    ports.store.poison = () => true;
    const problem = await intake.accept(UUID, anOrder(), true).catch((error: unknown) => error);
    expect(problem)
      .to.be.an.instanceOf(Problem)
      .and.deep.include({
        status: 503,
        title: 'Unavailable',
        headers: { 'Retry-After': '1' },
      });
  });

  it("[anomaly 23] refuses one order that can't be stored, and accepts the others", async () => {
    const { ports, intake } = await scene();
    ports.store.poison = (path) => path === ledgerPath(uuidOf(2));
    const accepted = [1, 2, 3].map((number) => answer(intake.accept(uuidOf(number), anOrder(), true)));
    expect(await Promise.all(accepted)).to.deep.equal([received(uuidOf(1)), NOT_STORED, received(uuidOf(3))]);
  });

  it('refuses what exceeds its queue instead of growing without end', async () => {
    const { intake } = await scene();
    const accepted = Array.from({ length: 10_001 }, (_, number) =>
      answer(intake.accept(uuidOf(number), anOrder(), true)),
    );
    const answers = await Promise.all(accepted);
    expect(answers.slice(-2)).to.deep.equal([
      received(uuidOf(9_999)),
      '503: Too many orders are waiting; the order was not accepted, try again',
    ]);
  });

  it('[anomaly 35] finishes the commit under way when it is drained, and refuses what waits', async () => {
    const { ports, intake, ledger } = await scene();
    let goOn = (): void => {};
    ports.store.commitFaults.push(
      () =>
        new Promise((resolve) => {
          goOn = resolve;
        }),
    );
    const first = answer(intake.accept(UUID, anOrder(), true));
    await nextTurn();
    const second = answer(intake.accept(uuidOf(2), anOrder(), true));
    const drained = intake.drain();
    expect(await second).to.equal(SHUTTING_DOWN);
    goOn();
    await drained;
    expect(await first).to.deep.equal(received());
    expect([await ledger(), await ledger(uuidOf(2))]).to.deep.equal([received(), undefined]);
  });

  it('[anomaly 35] refuses what comes once it is drained, and says why', async () => {
    const { ports, intake, ledger } = await scene();
    await intake.drain();
    expect(await answer(intake.accept(UUID, anOrder(), true))).to.equal(SHUTTING_DOWN);
    expect([await ledger(), ports.journal]).to.deep.equal([undefined, []]);
  });

  it('makes no commit larger than the store takes, by lines and by what is given for payment-error', async () => {
    const MIB = 1024 * 1024;
    const lines = Array.from({ length: LINES_MAX }, (_, number) => ({ item: `item-${number}`, quantity: 1 }));
    const heavy: [order: Partial<Order>, perCommit: number][] = [
      // A line counts as 600 bytes.
      [{ items: lines }, Math.floor(MIB / (600 * LINES_MAX))],
      [{ paymentError: JSON.stringify('x'.repeat(MIB / 8)) }, 7],
    ];
    for (const [order, perCommit] of heavy) {
      const { ports, intake } = await scene();
      const uuids = Array.from({ length: perCommit + 1 }, (_, number) => uuidOf(number));
      await Promise.all(uuids.map((uuid) => intake.accept(uuid, anOrder(order), true)));
      expect(ports.store.commits.map((writes) => writes.length)).to.deep.equal([perCommit, 1]);
    }
  });

  it('[anomaly 37] answers in time although the store does not, and stores nothing that was refused', async () => {
    const { ports, intake, ledger } = await scene();
    let wake = () => {};
    ports.store.commitFaults.push(
      () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    );
    const first = answer(intake.accept(UUID, anOrder(), true));
    await nextTurn();
    const second = answer(intake.accept(uuidOf(2), anOrder(), true));
    expect(await ports.clock.finish(Promise.all([first, second]))).to.deep.equal([
      UNKNOWN_WITHOUT_KEY,
      '503: The store did not answer in time; the order was not accepted, try again',
    ]);
    wake();
    expect(await intake.accept(uuidOf(3), anOrder(), true)).to.have.property('status', 'RECEIVED');
    expect([await ledger(), await ledger(uuidOf(2))]).to.deep.equal([received(), undefined]);
  });
});
