import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock } from '../adapters/system-clock.ts';
import { create, update, type Write } from '../saga/commit/documents.ts';
import { commitOne } from '../saga/commit/group-commit.ts';
import { readOne, type Store } from '../saga/ports/store.ts';
import { stock } from '../shop/stock.ts';
import { afterwards, documentsOf, LATER, NOW, storeHolding, uuidOf } from '../test/support/builders.ts';
import { createFaultyStore } from '../test/support/faulty-store.ts';
import { changeStockTask, type WantedStock } from './change-stock.ts';
import { changePath, type Figures, journalOf } from './stock-changes.ts';

const { path } = stock.of('widget');
const figures = (quantity: number, loaded: number, price_per_unit = 5): Figures => ({
  quantity,
  loaded,
  price_per_unit,
});
const wants = (fields: Partial<WantedStock> = {}): WantedStock => ({
  item: 'widget',
  price_per_unit: 5,
  loaded: 10,
  note: 'A delivery came',
  person: 'alice',
  now: NOW,
  id: uuidOf(1),
  ...fields,
});
/** What is decided where there is this of the item. */
const decide = (wanted: WantedStock, found?: object) =>
  changeStockTask(wanted).decide(documentsOf(found ? { [path]: found } : {}));
const recorded = (after: Figures, before?: Figures, person = 'alice') => ({
  id: uuidOf(1),
  createdAt: NOW,
  ...(person && { person }),
  note: 'A delivery came',
  ...(before && { before }),
  after,
});
const journaled = (...change: Parameters<typeof recorded>): Write =>
  create(changePath('widget', uuidOf(1)), recorded(...change));

describe('Who changes the stock', () => {
  it('names the price and the whole: what is available moves by as much as the whole', () => {
    expect(decide(wants({ loaded: 15, price_per_unit: 6 }), figures(3, 10))).to.deep.equal({
      writes: [update(path, figures(8, 15, 6)), journaled(figures(8, 15, 6), figures(3, 10))],
      result: { outcome: 'changed', figures: figures(8, 15, 6) },
    });
  });

  it('may take back all that is available, and not one unit more', () => {
    expect(decide(wants({ loaded: 7 }), figures(3, 10)).result).to.deep.equal({
      outcome: 'changed',
      figures: figures(0, 7),
    });
    expect(decide(wants({ loaded: 5 }), figures(3, 10))).to.deep.equal({
      writes: [],
      result: { outcome: 'refused', detail: "Of widget, 7 are reserved or sold: the whole can't be 5" },
    });
  });

  it('may change the price while nothing is available', () => {
    expect(decide(wants({ price_per_unit: 9 }), figures(0, 10)).result).to.deep.equal({
      outcome: 'changed',
      figures: figures(0, 10, 9),
    });
  });

  it('brings in a new item, of which all is available', () => {
    expect(decide(wants())).to.deep.equal({
      writes: [create(path, figures(10, 10)), journaled(figures(10, 10))],
      result: { outcome: 'created', figures: figures(10, 10) },
    });
  });

  it('leaves nothing in the journal where it is so already', () => {
    expect(decide(wants(), figures(3, 10))).to.deep.equal({
      writes: [],
      result: { outcome: 'unchanged', figures: figures(3, 10) },
    });
  });

  it('leaves no name where none is known', () => {
    const { writes } = decide(wants({ person: undefined }));
    expect(writes[1]).to.deep.equal(journaled(figures(10, 10), undefined, ''));
  });

  it('leaves alone what the doctor counts', () => {
    const found = { ...figures(3, 10), corrections: 2 };
    const { writes } = decide(wants({ loaded: 11 }), found);
    expect(afterwards(documentsOf({ [path]: found }), writes).get(path)).to.deep.equal({
      ...figures(4, 11),
      corrections: 2,
    });
  });

  it('[anomaly 43] makes nothing of stock that is malformed', () => {
    const { writes, result } = decide(wants(), { ...figures(3, 10), quantity: '3' });
    expect(writes).to.deep.equal([]);
    expect(result).to.deep.equal({
      outcome: 'refused',
      detail: 'inventory/widget is malformed: quantity: Invalid input: expected number, received string',
    });
  });

  it('never changes what orders hold, and never has less than nothing', () => {
    const amount = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(amount, amount, amount, amount, (left, held, loaded, price_per_unit) => {
        const { result } = decide(wants({ loaded, price_per_unit }), figures(left, left + held));
        if (result.outcome === 'refused') expect(loaded).to.be.lessThan(held);
        else {
          expect(result.figures).to.deep.equal(figures(loaded - held, loaded, price_per_unit));
          expect(result.figures.quantity).to.be.at.least(0);
        }
      }),
    );
  });
});

describe('A change of the stock', () => {
  // Without chance, the pause between two attempts has no length.
  const commit = (store: Store, wanted: WantedStock) =>
    commitOne(store, { clock: systemClock, random: () => 0 }, changeStockTask(wanted));
  const journal = async (store: Store): Promise<readonly object[]> =>
    store.query({ collection: journalOf('widget'), where: {}, limit: 10 });
  /** Somebody else changes the document first. */
  const meanwhile = (store: Store, fields: object) => async () => {
    const version = (await store.read([path])).get(path)?.version;
    if (version === undefined) throw new Error('There is no widget');
    await store.commit([{ kind: 'update', path, fields, version }]);
  };

  it('[anomaly 14] is decided again on what orders took at the same moment', async () => {
    const inner = await storeHolding({ [path]: figures(10, 10) });
    const store = createFaultyStore(inner);
    store.commitFaults.push(meanwhile(inner, { quantity: 6 }));
    expect(await commit(store, wants({ loaded: 12 }))).to.deep.equal({
      outcome: 'changed',
      figures: figures(8, 12),
    });
    expect(await readOne(store, path)).to.deep.equal(figures(8, 12));
    expect(await journal(store)).to.deep.equal([recorded(figures(8, 12), figures(6, 10))]);
  });

  for (const fault of ['lost answer', 'own success'] as const) {
    it(`[anomaly 19] happens once if its answer is lost: ${fault}`, async () => {
      const store = createFaultyStore(await storeHolding({ [path]: figures(3, 10) }));
      store.commitFaults.push(fault);
      expect(await commit(store, wants({ loaded: 12 }))).to.deep.equal({
        outcome: 'changed',
        figures: figures(5, 12),
      });
      expect(await journal(store)).to.have.length(1);
    });
  }

  it('[anomaly 19] whose answer is lost undoes nothing that another operator has changed since', async () => {
    const inner = await storeHolding({ [path]: figures(3, 10) });
    const store = createFaultyStore(inner);
    const asked = wants({ loaded: 12 });
    store.commitFaults.push(async () => {
      await commit(inner, asked);
      await commit(inner, wants({ id: uuidOf(2), loaded: 20, now: LATER }));
    });
    expect(await commit(store, asked)).to.deep.equal({ outcome: 'changed', figures: figures(5, 12) });
    expect(await readOne(store, path)).to.deep.equal(figures(13, 20));
    expect(await journal(store)).to.have.length(2);
  });

  it('of a new item that another operator brings in at the same moment comes on top', async () => {
    const inner = await storeHolding({});
    const store = createFaultyStore(inner);
    store.commitFaults.push(async () => {
      await commit(inner, wants({ id: uuidOf(2), loaded: 20 }));
    });
    expect(await commit(store, wants())).to.deep.equal({ outcome: 'changed', figures: figures(10, 10) });
    expect(await journal(store)).to.have.length(2);
  });
});
