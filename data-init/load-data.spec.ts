import { expect } from 'chai';
import { createMemoryStore } from '../adapters/memory/memory-store.ts';
import { pipeline } from '../pipeline.ts';
import { update } from '../saga/commit/documents.ts';
import { groupCommit } from '../saga/commit/group-commit.ts';
import { type Path, readOne, type Store } from '../saga/ports/store.ts';
import { customers } from '../shop/customers.ts';
import { stock } from '../shop/stock.ts';
import { createManualClock } from '../test/support/manual-clock.ts';
import { shopOfThree } from '../test/support/shop-of-three.ts';
import { type Data, loadData, parseData, resetData } from './load-data.ts';

const DATA = {
  users: { jack: { address: '1 Hill Road' }, joe: { address: '3 Mill Lane', credit: 100 } },
  inventory: { widget: { quantity: 10, price_per_unit: 10 } },
} satisfies Data;

const STOCK = { quantity: 1, price_per_unit: 1 };

describe('Users and stock', () => {
  const environment = { clock: createManualClock(), random: () => 0 };
  let store: Store;
  beforeEach(() => {
    store = createMemoryStore();
  });

  it('are loaded as the file says', async () => {
    expect(await loadData(pipeline, store, environment, DATA)).to.deep.equal({ loaded: 3, present: 0 });
    expect(await readOne(store, customers.of('jack').path)).to.deep.equal(DATA.users.jack);
    expect(await readOne(store, customers.of('joe').path)).to.deep.equal({
      ...DATA.users.joe,
      credit_limit: 100,
    });
    expect(await readOne(store, stock.of('widget').path)).to.deep.equal({
      ...DATA.inventory.widget,
      loaded: 10,
    });
  });

  it('[anomaly 44] stay as orders have left them when they are loaded again', async () => {
    await loadData(pipeline, store, environment, DATA);
    const path = stock.of('widget').path;
    const sale = {
      reads: () => [path],
      decide: () => ({ writes: [update(path, { quantity: 3 })], result: true }),
    };
    await groupCommit(store, environment, [sale]);
    const more = { ...DATA, users: { ...DATA.users, jill: { address: '2 Hill Road' } } };
    expect(await loadData(pipeline, store, environment, more)).to.deep.equal({ loaded: 1, present: 3 });
    expect(await readOne(store, path)).to.deep.equal({ quantity: 3, price_per_unit: 10, loaded: 10 });
  });

  it('are gone after a reset, with every order, invoice, dead letter and repair, however many there are', async () => {
    const paths: Path[] = [
      ...Array.from({ length: 1500 }, (_, index) => `sagas/${index}`),
      'users/jack/orders/1',
      'inventory/widget/orders/1',
      'payments/1',
      'dead-letters/1',
      'repairs/1',
    ];
    await loadData(pipeline, store, environment, DATA);
    await store.commit(paths.map((path) => ({ kind: 'create', path, fields: {} })));
    const progress: string[] = [];
    await resetData(shopOfThree, store, (collection, deletedCount) =>
      progress.push(`${collection} ${deletedCount}`),
    );
    expect(await store.read([...paths, customers.of('jack').path, stock.of('widget').path])).to.have.property(
      'size',
      0,
    );
    expect(progress).to.deep.equal([
      'sagas 1500',
      'users 3',
      'inventory 2',
      'payments 1',
      'dead-letters 1',
      'repairs 1',
    ]);
  });
});

describe('A data file', () => {
  it('is read as it says: a section for each kind of account', () => {
    for (const start of ['', '\uFEFF'])
      expect(parseData(shopOfThree, start + JSON.stringify(DATA), 'mine.json')).to.deep.equal(DATA);
  });

  it('names every fault that it has, with the document and the field', () => {
    const text = JSON.stringify({
      users: { jack: { address: 7 }, 'a/b': { address: 'x' }, joe: { adress: 'x', credit: -1 } },
      inventory: { wotsit: { ...STOCK, loaded: 1 } },
      payments: {},
    });
    expect(() => parseData(shopOfThree, text, 'mine.json')).to.throw(`mine.json is wrong:
  users/jack: address: Invalid input: expected string, received number
  users/a/b: must not contain "/"
  users/joe: address is missing
  users/joe: credit: must be 0 or more
  adress is no field of users/joe that is written here: there are address, location, erasedAs, credit
  loaded is no field of inventory/wotsit that is written here: there are price_per_unit, quantity
  payments is no collection of accounts: there are users, inventory`);
  });

  it('has a collection for each kind of account', () => {
    const text = JSON.stringify({ users: DATA.users });
    expect(() => parseData(shopOfThree, text, 'mine.json')).to.throw(
      'mine.json is wrong:\n  inventory is missing',
    );
  });

  it('that is not JSON is said to be none', () => {
    expect(() => parseData(shopOfThree, '{', 'mine.json')).to.throw(/^mine\.json is not JSON/);
  });
});
