import { expect } from 'chai';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { sweep } from '../../janitor/sweep/sweep.ts';
import { type OrderLedger, pipeline as saga } from '../../pipeline.ts';
import { takeTurns } from '../../saga/deliver/turns.ts';
import { DEADLINE_SECONDS } from '../../saga/ledger/deadline.ts';
import { FAILING, ledgerPath } from '../../saga/ledger/ledger.ts';
import { watchLedgers } from '../../saga/ledger/watch-ledgers.ts';
import type { Ports } from '../../saga/ports/ports.ts';
import { LATE_MS, readOne } from '../../saga/ports/store.ts';
import { compensationTask } from '../../saga/step/compensate.ts';
import { receiveTask } from '../../saga/step/receive.ts';
import { stepTask } from '../../saga/step/take-step.ts';
import { aWorld } from '../support/audited-world.ts';
import { anOrder, SETTINGS, UUID } from '../support/builders.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

const DEADLINE_MS = 1000 * DEADLINE_SECONDS;

/** The ports of a service whose clock is so far off. */
const withClock = (ports: Ports, offsetMs: number): Ports => ({
  ...ports,
  clock: { ...ports.clock, now: () => new Date(ports.clock.now().getTime() + offsetMs) },
});

/** Takes an order in. */
const receive = (ports: Ports) => {
  const order = anOrder({ user: 'joe', items: [{ item: 'widget', quantity: 2 }] });
  const incoming = { uuid: UUID, order, isNew: true, by: 'frontend', deadlineSeconds: DEADLINE_SECONDS };
  return takeTurns(saga, 'frontend', [receiveTask(saga, incoming)], ports);
};

/**
 * An order that passes through services whose clocks are so far off, one after the other, while a janitor with each of these clocks
 * looks whether it is too late.
 * @returns how it stands once nobody has anything to do, and what the audit found after each of these.
 */
async function passThrough(offsetsMs: readonly number[]) {
  const ports = await recordedPorts(Object.fromEntries(aWorld()));
  const wrong: string[] = [];
  const off = (offsetMs: number) => withClock(ports, offsetMs);
  const offsetOf = (turn: number) => offsetsMs[turn % offsetsMs.length] ?? 0;
  const ledger = async () => (await readOne(ports.store, ledgerPath(UUID))) as OrderLedger;
  async function look(): Promise<void> {
    for (const offsetMs of offsetsMs) await ports.clock.finish(sweep(saga, off(offsetMs)));
    const { violations } = await takeAudit(saga, ports);
    wrong.push(...violations.map(({ sentence }) => sentence));
  }

  await receive(off(offsetOf(0)));
  await look();
  const options = { settings: SETTINGS.declared, deadlineSeconds: DEADLINE_SECONDS, isEntry: false };
  for (const [index, step] of saga.steps.entries()) {
    const task = stepTask(saga, step, { uuid: UUID }, options);
    await takeTurns(saga, step.name, [task], off(offsetOf(index + 1)));
    await look();
  }
  if ((await ledger()).status === FAILING) {
    const task = compensationTask(saga, { uuid: UUID }, 'janitor', DEADLINE_SECONDS);
    await takeTurns(saga, 'janitor', [task], off(offsetOf(0)));
    await look();
  }
  return { ledger: await ledger(), wrong };
}

describe('Services whose clocks differ', () => {
  const last = saga.steps.at(-1)?.waits?.as;
  const orders = [
    [-1, 1],
    [1, -1],
    [0, -1, 1],
    [1, 0, -1, -1, 1],
  ];

  const TOO_LATE = ['CANCELED', 'DEADLINE_EXCEEDED'];

  it('[anomaly 53] cancel an order where the one that looks is a deadline ahead of the one that began', async () => {
    const { ledger } = await passThrough([-DEADLINE_MS / 2, DEADLINE_MS / 2 + 1]);
    expect([ledger.status, ledger.reason]).to.deep.equal(TOO_LATE);
  });

  for (const signs of orders) {
    const atMost = (differenceMs: number) => signs.map((sign) => (sign * differenceMs) / 2);

    it(`[anomaly 53] cancel no order as long as they differ by less than a deadline: ${signs}`, async () => {
      const { ledger, wrong } = await passThrough(atMost(DEADLINE_MS - 2));
      expect([ledger.status, wrong]).to.deep.equal([last, []]);
    });

    it(`[anomaly 53] may cancel it beyond that, and the books are right all the same: ${signs}`, async () => {
      const { ledger, wrong } = await passThrough(atMost(DEADLINE_MS + 2));
      expect([[last, undefined], TOO_LATE]).to.deep.include([ledger.status, ledger.reason]);
      expect(wrong).to.deep.equal([]);
    });
  }
});

/** Whether an order is told that was taken in by a clock so far from the one of whoever watches. */
async function isTold(offsetMs: number): Promise<boolean> {
  const ports = await recordedPorts(Object.fromEntries(aWorld()));
  const told: string[] = [];
  let watching = { close() {} };
  await new Promise<void>((ready, fail) => {
    watching = watchLedgers(ports, {
      ready,
      tell: (moved) => told.push(...moved.map(({ ledger }) => ledger.uuid)),
      fail,
    });
  });
  await receive(withClock(ports, offsetMs));
  await ports.clock.finish(Promise.resolve());
  watching.close();
  return told.includes(UUID);
}

describe('Whoever watches all orders by a clock of their own', () => {
  for (const offsetMs of [0, 3_600_000, 1 - LATE_MS]) {
    it(`[anomaly 53] sees what a service writes whose clock shows ${offsetMs} ms more`, async () => {
      expect(await isTold(offsetMs)).to.equal(true);
    });
  }

  it('[anomaly 53] may miss it where that clock is slower than a commit may be late', async () => {
    expect(await isTold(-LATE_MS - 1)).to.equal(false);
  });
});
