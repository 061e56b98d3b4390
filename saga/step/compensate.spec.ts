import { expect } from 'chai';
import fc from 'fast-check';
import { z } from 'zod';
import type { OrderLedger } from '../../pipeline.ts';
import {
  aDelivery,
  afterwards,
  aLedger,
  aLedgerThatIs,
  anOrder,
  documentsOf,
  LATER,
  NOW,
  SETTINGS,
  TRACE,
  UUID,
} from '../../test/support/builders.ts';
import { recordedPorts } from '../../test/support/recorded-ports.ts';
import { shopOfThree } from '../../test/support/shop-of-three.ts';
import { deepFreeze } from '../../test-kit/deep-freeze.ts';
import { remove, update, type Write } from '../commit/documents.ts';
import { messageFor } from '../deliver/message.ts';
import { createRunner } from '../deliver/runner.ts';
import { DEADLINE_SECONDS } from '../ledger/deadline.ts';
import { advance, complete, fail, isFailed, type Ledger, ledgerPath, tombstone } from '../ledger/ledger.ts';
import { type Path, readOne } from '../ports/store.ts';
import { compensationTask } from './compensate.ts';
import { document } from './document.ts';
import { changeOf } from './holds.ts';
import { takeStep } from './take-step.ts';

const LINES = [
  { item: 'widget', quantity: 2, price_per_unit: 5 },
  { item: 'gadget', quantity: 1, price_per_unit: 7 },
];
const ITEMS = LINES.map(({ item, quantity }) => ({ item, quantity }));
/** What the steps of this order learn. */
const LEARNED: readonly object[] = [{}, { lines: LINES }, { delivery_cost: 0, charged: 17 }];

/** How many steps may be done: from none to all. */
const DONE_COUNTS = [...shopOfThree.steps.keys(), shopOfThree.steps.length];

/** The ledger of that order once so many steps are done. */
function standing(doneCount: number): Ledger {
  return shopOfThree.steps
    .slice(0, doneCount)
    .reduce<Ledger>(
      (ledger, { name }, index) =>
        advance(shopOfThree, ledger, { step: name, by: name, learned: LEARNED[index] ?? {}, now: NOW }),
      aLedger({ items: ITEMS }),
    );
}
const FAILURE = { by: 'payments', reason: 'PAYMENT_ERROR', detail: 'The payment was refused', now: NOW };
const failing = (doneCount: number): Ledger => deepFreeze(fail(shopOfThree, standing(doneCount), FAILURE));

const JACK: Path = 'users/jack';
const WIDGET: Path = 'inventory/widget';
const GADGET: Path = 'inventory/gadget';
const ACCOUNTS: Readonly<Record<Path, object>> = {
  [JACK]: { address: '1 Main Street', credit: 100, credit_limit: 200 },
  [WIDGET]: { quantity: 10, loaded: 20, price_per_unit: 5 },
  [GADGET]: { quantity: 0, loaded: 20, price_per_unit: 7 },
};
const INVOICE: Path = `payments/${UUID}`;
const RESERVATIONS: readonly Path[] = [`${WIDGET}/orders/${UUID}`, `${GADGET}/orders/${UUID}`];
const RECORD: Path = `${JACK}/orders/${UUID}`;

/** What each step of this order gives back. */
const GIVEN_BACK: readonly (readonly Write[])[] = [
  [remove(RECORD)],
  [update(WIDGET, { quantity: 12 }), update(GADGET, { quantity: 1 }), ...RESERVATIONS.map(remove)],
  [update(JACK, { credit: 117 }), remove(INVOICE)],
];

const taskFor = (message: object = {}) =>
  compensationTask(shopOfThree, { uuid: UUID, ...message }, 'janitor', DEADLINE_SECONDS);
const take = (ledger: Ledger | undefined, message: object = {}) =>
  taskFor(message).take(ledger, documentsOf(ACCOUNTS), LATER);
const change = (ledger: Ledger, documents = ACCOUNTS) =>
  changeOf(shopOfThree, ledger, take(ledger).ledger as Ledger, documentsOf(documents));
const writesOf = (ledger: Ledger): readonly Write[] => {
  const changed = change(ledger);
  return 'writes' in changed ? changed.writes : [];
};

describe('Compensation', () => {
  it('cancels an order that is failing', () => {
    for (const doneCount of DONE_COUNTS) {
      const ledger = failing(doneCount);
      expect(take(ledger)).to.deep.equal({
        outcome: 'compensated',
        ledger: complete(shopOfThree, ledger, 'janitor', LATER),
      });
    }
  });

  for (const doneCount of DONE_COUNTS) {
    const done = shopOfThree.steps.slice(0, doneCount).map(({ name }) => name);
    it(`[anomaly 13] gives back what the ledger records as done and nothing else: ${done.join(', ') || 'nothing'}`, () => {
      expect(writesOf(failing(doneCount))).to.have.deep.members(GIVEN_BACK.slice(0, doneCount).flat());
    });
  }

  it('[anomaly 39] goes by the ledger, whatever the message claims', () => {
    const ledger = failing(2);
    const claimed = anOrder({ user: 'jill', items: [{ item: 'gold', quantity: 1_000_000 }] });
    expect(take(ledger, { order: claimed, reason: 'PAYMENT_ERROR' })).to.deep.equal(take(ledger));
  });

  it('[anomaly 6] does nothing about an order that is canceled already', () => {
    const ledger = aLedgerThatIs('CANCELED');
    expect(take(ledger)).to.deep.equal({ outcome: 'duplicate', ledger });
  });

  for (const status of shopOfThree.statuses.filter((one) => !isFailed({ status: one }))) {
    it(`[anomaly 10] leaves an order alone that is ${status}`, () => {
      const ledger = aLedgerThatIs(status);
      expect(take(ledger, { reason: 'PAYMENT_ERROR' })).to.deep.equal({
        outcome: 'ignored',
        ledger,
        detail: `The order is ${status}, not failing`,
      });
    });
  }

  it('[anomaly 7] fences an order that nobody knows, with the reason that the message gives', () => {
    const detail = 'The order failed before anybody knew it';
    const fenced = (reason: string, trace?: string) => ({
      outcome: 'fenced',
      ledger: tombstone(
        shopOfThree,
        UUID,
        { by: 'janitor', reason, detail, now: LATER },
        DEADLINE_SECONDS,
        trace,
      ),
      detail,
    });
    expect(take(undefined, { order: anOrder(), reason: 'PAYMENT_ERROR' })).to.deep.equal(
      fenced('PAYMENT_ERROR'),
    );
    expect(take(undefined)).to.deep.equal(fenced(shopOfThree.unknownReason));
    expect(take(undefined, { reason: 'PAYMENT_ERROR', trace: TRACE })).to.deep.equal(
      fenced('PAYMENT_ERROR', TRACE),
    );
  });

  it('[anomaly 7] gives nothing back for such an order, whatever the message says that it took', () => {
    const { ledger } = take(undefined, { order: anOrder(), reason: 'PAYMENT_ERROR' });
    expect(changeOf(shopOfThree, undefined, ledger as Ledger, documentsOf(ACCOUNTS))).to.deep.equal({
      writes: [],
    });
  });

  it("[anomaly 12] is a surprise where something can't be given back, and then gives nothing back at all", () => {
    const { [GADGET]: _, ...withoutGadget } = ACCOUNTS;
    expect(() => change(failing(3), withoutGadget)).to.throw(
      "1 can't be given back: there is no item gadget any more",
    );
    const { [JACK]: __, ...withoutJack } = ACCOUNTS;
    expect(() => change(failing(3), withoutJack)).to.throw(
      "17 can't be given back: there is no user jack any more",
    );
    // Jack had only a record, which goes with him.
    expect(change(failing(2), withoutJack)).to.deep.equal(change(failing(2)));
  });

  it('fetches the accounts that the message describes along with the ledger, and then those of which the order holds', () => {
    const reads = (ledger: Ledger | undefined, message: object = {}) =>
      taskFor(message).reads?.(ledger, documentsOf({}));
    expect(reads(undefined)).to.deep.equal([]);
    expect(new Set(reads(undefined, { order: anOrder() }))).to.deep.equal(new Set([JACK, WIDGET]));
    // A document that is only read never changes, so nothing is given back to it.
    const rules = document({ name: 'rule', path: 'rules/{rule}', schema: z.object({}) });
    const steps = shopOfThree.steps.map((step) => ({ ...step, reads: () => [rules.of('one')] }));
    const ruled = { ...shopOfThree, steps };
    const hint = compensationTask(ruled, { uuid: UUID, order: anOrder() }, 'janitor', DEADLINE_SECONDS);
    expect(hint.reads?.(undefined, documentsOf({}))).to.deep.equal([]);
    expect(reads(failing(0))).to.deep.equal([]);
    expect(reads(failing(2))).to.have.members([WIDGET, GADGET]);
    expect(reads(failing(3))).to.have.members([WIDGET, GADGET, JACK]);
    for (const status of shopOfThree.statuses.filter((one) => one !== 'FAILING')) {
      expect(reads(aLedgerThatIs(status), { order: anOrder() }), status).to.deep.equal([]);
    }
  });
});

describe('What an order took', () => {
  const anyOrder = fc.record({
    doneCount: fc.integer({ min: 0, max: shopOfThree.steps.length }),
    credit: fc.option(fc.integer({ min: 1_000_000, max: 2_000_000 }), { nil: undefined }),
    lines: fc.uniqueArray(
      fc.record({
        item: fc.stringMatching(/^[a-z]{1,6}$/),
        quantity: fc.integer({ min: 1, max: 100 }),
        price: fc.nat(1000),
        meanwhile: fc.nat(1_000_000),
      }),
      { minLength: 1, maxLength: 5, selector: ({ item }) => item },
    ),
    meanwhile: fc.nat(1_000_000),
  });

  it('[anomaly 13] comes back exactly, wherever it failed: also onto what others changed meanwhile', () => {
    fc.assert(
      fc.property(anyOrder, ({ doneCount, credit, lines, meanwhile }) => {
        const customer = {
          address: '1 Main Street',
          ...(credit !== undefined && { credit, credit_limit: 2_000_000 }),
        };
        const before: Record<Path, object> = {
          [JACK]: customer,
          ...Object.fromEntries(
            lines.map(({ item, price }) => [
              `inventory/${item}`,
              { quantity: 100, loaded: 100, price_per_unit: price },
            ]),
          ),
        };
        const documents = documentsOf(before);
        const touched = new Set<Path>(Object.keys(before));
        const apply = (from: Ledger, to: Ledger) => {
          const changed = changeOf(shopOfThree, from, to, documents);
          if ('shortage' in changed) throw new Error(changed.shortage.detail);
          for (const { path } of changed.writes) touched.add(path);
          afterwards(documents, changed.writes);
        };
        let ledger: Ledger = aLedger({ items: lines.map(({ item, quantity }) => ({ item, quantity })) });
        for (const step of shopOfThree.steps.slice(0, doneCount)) {
          const turn = takeStep(shopOfThree, step, ledger, documents, SETTINGS.declared, NOW);
          expect(turn.outcome).to.equal('accepted');
          apply(ledger, turn.ledger as Ledger);
          ledger = deepFreeze(turn.ledger as Ledger);
        }
        // Others sell and restock, and another price is set.
        const others = lines.map(({ item, meanwhile: more }) =>
          update(`inventory/${item}`, {
            quantity: (documents.get(`inventory/${item}`) as { quantity: number }).quantity + more,
            price_per_unit: 77,
          }),
        );
        afterwards(documents, others);
        if (credit !== undefined) {
          const left = (documents.get(JACK) as { credit: number }).credit;
          afterwards(documents, [update(JACK, { credit: left + meanwhile })]);
        }
        const failed = deepFreeze(fail(shopOfThree, ledger, FAILURE));
        apply(ledger, failed);
        apply(failed, take(failed).ledger as Ledger);
        const after = Object.fromEntries(
          [...touched].flatMap((path) => {
            const fields = documents.get(path);
            return fields === undefined ? [] : [[path, fields]];
          }),
        );
        expect(after).to.deep.equal({
          [JACK]: { ...customer, ...(credit !== undefined && { credit: credit + meanwhile }) },
          ...Object.fromEntries(
            lines.map(({ item, meanwhile: more }) => [
              `inventory/${item}`,
              { quantity: 100 + more, loaded: 100, price_per_unit: 77 },
            ]),
          ),
        });
      }),
    );
  });
});

describe('The janitor', () => {
  const all = failing(shopOfThree.steps.length);
  const scene = async (ledger?: Ledger) => {
    const ports = await recordedPorts({
      ...ACCOUNTS,
      ...(ledger && {
        [ledgerPath(UUID)]: ledger,
        ...Object.fromEntries([INVOICE, ...RESERVATIONS, RECORD].map((path) => [path, {}])),
      }),
    });
    const run = createRunner(
      shopOfThree,
      {
        name: 'janitor',
        taskFor: (message) => compensationTask(shopOfThree, message, 'janitor', DEADLINE_SECONDS),
      },
      ports,
    );
    const { data, attributes } = messageFor(shopOfThree, ledger ?? failing(1));
    const deliver = () => aDelivery(data, { attributes });
    return {
      ports,
      credit: async () => ((await readOne(ports.store, JACK)) as { credit: number }).credit,
      process: (count = 1) => ports.clock.finish(run(Array.from({ length: count }, deliver))),
    };
  };

  it('[anomaly 6] gives back once, however often the error is told', async () => {
    const { ports, credit, process } = await scene(all);
    await process(2);
    await process();
    expect(await credit()).to.equal(117);
    expect(ports.logged.map(({ outcome }) => outcome)).to.deep.equal([
      'compensated',
      'duplicate',
      'duplicate',
    ]);
    expect(await readOne(ports.store, ledgerPath(UUID))).to.deep.equal(
      complete(shopOfThree, all, 'janitor', NOW),
    );
  });

  it('[anomaly 11] gives everything back in one commit', async () => {
    const { ports, process } = await scene(all);
    await process();
    const lineOf = ({ kind, path }: { kind: string; path: Path }) => `${kind} ${path}`;
    expect(ports.store.commits).to.have.length(1);
    expect(ports.store.commits.flat().map(lineOf)).to.have.members([
      ...GIVEN_BACK.flat().map(lineOf),
      `update ${ledgerPath(UUID)}`,
    ]);
    expect(ports.published).to.deep.equal([
      messageFor(shopOfThree, complete(shopOfThree, all, 'janitor', NOW)),
    ]);
  });

  it('[anomaly 19] gives back once where the answer of its commit was lost', async () => {
    for (const fault of ['lost answer', 'own success'] as const) {
      const { ports, credit, process } = await scene(all);
      ports.store.commitFaults.push(fault);
      await process();
      expect([await credit(), ports.published]).to.deep.equal([
        117,
        [messageFor(shopOfThree, complete(shopOfThree, all, 'janitor', NOW))],
      ]);
    }
  });

  it('[anomaly 7] leaves a tombstone, and nothing else, for an order that nobody knows', async () => {
    const { ports, credit, process } = await scene();
    await process(2);
    expect(ports.store.commits.flat().map(({ kind, path }) => `${kind} ${path}`)).to.deep.equal([
      `create ${ledgerPath(UUID)}`,
    ]);
    expect([await credit(), ports.published.map(({ topic }) => topic)]).to.deep.equal([
      100,
      ['order-canceled'],
    ]);
    const { reason } = (await readOne(ports.store, ledgerPath(UUID))) as OrderLedger;
    expect(reason).to.equal('PAYMENT_ERROR');
  });
});
