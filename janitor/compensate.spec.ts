import { expect } from 'chai';
import fc from 'fast-check';
import { itemPath, reservationPath } from '../inventory/documents.ts';
import { reserveStock } from '../inventory/reserve-stock.ts';
import { createOrder } from '../order/create-order.ts';
import { orderRecordPath } from '../order/documents.ts';
import { chargeCustomer } from '../payments/charge-customer.ts';
import { accountPath, invoicePath } from '../payments/documents.ts';
import { remove, update } from '../saga/commit/documents.ts';
import { messageFor } from '../saga/deliver/message.ts';
import { createRunner } from '../saga/deliver/runner.ts';
import {
  advance,
  completeCompensation,
  fail,
  type Saga,
  type StepName,
  sagaPath,
  tombstone,
} from '../saga/ledger/ledger.ts';
import { type Path, readOne } from '../saga/ports/store.ts';
import { take } from '../saga/step/step.ts';
import {
  aDelivery,
  afterwards,
  anOrder,
  aSaga,
  aSagaThatIs,
  documentsOf,
  LATER,
  NOW,
  TRACE,
  UUID,
} from '../test/support/builders.ts';
import { deepFreeze } from '../test/support/deep-freeze.ts';
import { recordedPorts } from '../test/support/recorded-ports.ts';
import { compensate, steps } from './compensate.ts';

const LINES = [
  { item: 'widget', quantity: 2, price_per_unit: 5 },
  { item: 'gadget', quantity: 1, price_per_unit: 7 },
];
const DOCUMENTS: Readonly<Record<Path, object>> = {
  'users/jack': { address: '1 Main Street', credit: 100 },
  'inventory/widget': { quantity: 10, price_per_unit: 5 },
  'inventory/gadget': { quantity: 0, price_per_unit: 7 },
};
/** The ledger of an order that failed after these steps. */
function failing(...done: StepName[]): Saga {
  let saga = aSaga({ items: LINES, charged: 17 });
  for (const name of done) saga = advance(saga, name, steps[name].to, {}, NOW);
  return deepFreeze(fail(saga, 'payments', 'PAYMENT_ERROR', 'The payment was refused', NOW));
}
const react = (saga: Saga | undefined, message: object = {}, documents = DOCUMENTS) =>
  compensate.react(saga, { uuid: UUID, ...message }, documentsOf(documents), LATER);

const undoPayments = [update(accountPath('jack'), { credit: 117 }), remove(invoicePath(UUID))];
const undoInventory = [
  update(itemPath('widget'), { quantity: 12 }),
  remove(reservationPath('widget', UUID)),
  update(itemPath('gadget'), { quantity: 1 }),
  remove(reservationPath('gadget', UUID)),
];
const undoOrder = [remove(orderRecordPath('jack', UUID))];

describe('Compensation', () => {
  it('[anomaly 13] undoes every line of every step, the last step first', () => {
    const saga = failing('order', 'inventory', 'payments');
    expect(react(saga)).to.deep.equal({
      outcome: 'compensated',
      writes: [...undoPayments, ...undoInventory, ...undoOrder],
      saga: completeCompensation(saga, LATER),
    });
  });

  for (const [done, writes] of [
    [
      ['order', 'inventory'],
      [...undoInventory, ...undoOrder],
    ],
    [['order'], undoOrder],
    [[], []],
  ] as const) {
    it(`[anomaly 13] undoes what the ledger records as done and nothing else: ${done.join(', ') || 'nothing'}`, () => {
      const saga = failing(...done);
      expect(react(saga)).to.deep.equal({
        outcome: 'compensated',
        writes,
        saga: completeCompensation(saga, LATER),
      });
    });
  }

  it('[anomaly 39] goes by the ledger, whatever the message claims', () => {
    const saga = failing('order', 'inventory');
    const claimed = anOrder({ user: 'jill', items: [{ item: 'gold', quantity: 1_000_000 }] });
    expect(react(saga, { order: claimed, reason: 'PAYMENT_ERROR' })).to.deep.equal(react(saga));
  });

  it('[anomaly 6] does nothing about an order that is canceled already', () => {
    const saga = aSagaThatIs('CANCELED');
    expect(react(saga)).to.deep.equal({ outcome: 'duplicate', writes: [], saga });
  });

  for (const status of ['RECEIVED', 'CREATED', 'RESERVED', 'PAID'] as const) {
    it(`[anomaly 10] leaves an order alone that is ${status}`, () => {
      const saga = aSagaThatIs(status);
      expect(react(saga, { reason: 'PAYMENT_ERROR' })).to.deep.equal({
        outcome: 'ignored',
        writes: [],
        saga,
        detail: `The order is ${status}, not failing`,
      });
    });
  }

  it('[anomaly 7] fences an order that nobody knows, with the reason that the message gives', () => {
    const detail = 'The order failed before anybody knew it';
    const fenced = (saga: Saga) => ({ outcome: 'fenced', writes: [], saga, detail });
    expect(react(undefined, { order: anOrder(), reason: 'PAYMENT_ERROR' })).to.deep.equal(
      fenced(tombstone(UUID, 'PAYMENT_ERROR', detail, LATER)),
    );
    expect(react(undefined)).to.deep.equal(fenced(tombstone(UUID, 'INVALID_ORDER', detail, LATER)));
  });

  it('keeps the trace of the message in such a tombstone', () => {
    const message = { uuid: UUID, reason: 'PAYMENT_ERROR', trace: TRACE } as const;
    expect(compensate.react(undefined, message, documentsOf({}), NOW).saga).to.include({ trace: TRACE });
  });

  it("[anomaly 12] is a surprise where something can't be put back, and then undoes nothing at all", () => {
    const { 'inventory/gadget': _, ...withoutGadget } = DOCUMENTS;
    expect(() => react(failing('order', 'inventory', 'payments'), {}, withoutGadget)).to.throw(
      "1 of gadget can't be put back",
    );
  });

  it('fetches what the message describes along with the ledger, and then what was done', () => {
    const reads = (saga: Saga | undefined, message: object = {}) =>
      compensate.reads(saga, { uuid: UUID, ...message });
    expect(reads(undefined)).to.deep.equal([]);
    expect(reads(undefined, { order: anOrder() })).to.have.members([
      'users/jack',
      'inventory/widget',
      'users/jack',
    ]);
    expect(reads(failing('order', 'inventory'))).to.deep.equal([
      'users/jack',
      'inventory/widget',
      'inventory/gadget',
    ]);
    expect(reads(failing())).to.deep.equal([]);
    expect(reads(aSagaThatIs('PAID'), { order: anOrder() })).to.deep.equal([]);
  });

  it('[anomaly 13] restores every document exactly, wherever the order failed', () => {
    const anyOrder = fc.record({
      done: fc.integer({ min: 0, max: 3 }),
      credit: fc.option(fc.integer({ min: 1_000_000, max: 2_000_000 }), { nil: undefined }),
      lines: fc.uniqueArray(
        fc.record({
          item: fc.stringMatching(/^[a-z]{1,6}$/),
          quantity: fc.integer({ min: 1, max: 100 }),
          price: fc.nat(1000),
        }),
        { minLength: 1, maxLength: 5, selector: ({ item }) => item },
      ),
    });
    fc.assert(
      fc.property(anyOrder, ({ done, credit, lines }) => {
        const before = documentsOf({
          'users/jack': { address: '1 Main Street', ...(credit !== undefined && { credit }) },
          ...Object.fromEntries(
            lines.map(({ item, price }) => [itemPath(item), { quantity: 100, price_per_unit: price }]),
          ),
        });
        let saga = aSaga({ items: lines.map(({ item, quantity }) => ({ item, quantity })) });
        let documents = afterwards(before, []);
        const touched = new Set<Path>(['users/jack']);
        for (const step of [createOrder, reserveStock, chargeCustomer()].slice(0, done)) {
          const turn = take(step, saga, documents, NOW);
          expect(turn.outcome).to.equal('accepted');
          for (const { path } of turn.writes) touched.add(path);
          documents = afterwards(documents, turn.writes);
          saga = deepFreeze(turn.saga ?? saga);
        }
        saga = deepFreeze(fail(saga, 'janitor', 'CANCELED_BY_CUSTOMER', 'No', NOW));
        const undone = afterwards(documents, compensate.react(saga, { uuid: UUID }, documents, LATER).writes);
        for (const path of touched) expect(undone.get(path), path).to.deep.equal(before.get(path));
      }),
    );
  });
});

describe('The janitor', () => {
  const scene = async (saga?: Saga) => {
    const ports = await recordedPorts({ ...DOCUMENTS, ...(saga && { [sagaPath(UUID)]: saga }) });
    const run = createRunner(compensate, ports);
    const { data, attributes } = messageFor(saga ?? failing('order'));
    const credit = async () => (await readOne(ports.store, accountPath('jack')))?.credit;
    const deliver = () => aDelivery(data, { attributes });
    return {
      ports,
      credit,
      deliver,
      process: (count = 1) => ports.clock.finish(run(Array.from({ length: count }, deliver))),
    };
  };
  const all = failing('order', 'inventory', 'payments');

  it('[anomaly 6] restores once, however often the error is told', async () => {
    const { ports, credit, process } = await scene(all);
    await process(2);
    await process();
    expect(await credit()).to.equal(117);
    expect(ports.logged.map(({ outcome }) => outcome)).to.deep.equal([
      'compensated',
      'duplicate',
      'duplicate',
    ]);
    expect(await readOne(ports.store, sagaPath(UUID))).to.deep.equal(completeCompensation(all, NOW));
  });

  it('[anomaly 11] undoes everything in one commit', async () => {
    const { ports, process } = await scene(all);
    await process();
    expect(
      ports.store.commits.map((writes) => writes.map(({ kind, path }) => `${kind} ${path}`)),
    ).to.deep.equal([
      [
        ...[...undoPayments, ...undoInventory, ...undoOrder].map(({ kind, path }) => `${kind} ${path}`),
        `update ${sagaPath(UUID)}`,
      ],
    ]);
    expect(ports.published).to.deep.equal([messageFor(completeCompensation(all, NOW))]);
  });

  it('[anomaly 19] restores once where the answer of its commit was lost', async () => {
    for (const fault of ['lost answer', 'own success'] as const) {
      const { ports, credit, process } = await scene(all);
      ports.store.commitFaults.push(fault);
      await process();
      expect([await credit(), ports.published]).to.deep.equal([
        117,
        [messageFor(completeCompensation(all, NOW))],
      ]);
    }
  });

  it('[anomaly 7] leaves a tombstone, and nothing else, for an order that nobody knows', async () => {
    const { ports, credit, process } = await scene();
    await process(2);
    expect(ports.store.commits.flat().map(({ kind, path }) => `${kind} ${path}`)).to.deep.equal([
      `create ${sagaPath(UUID)}`,
    ]);
    expect([await credit(), ports.published.map(({ topic }) => topic)]).to.deep.equal([
      100,
      ['order-canceled'],
    ]);
  });
});
