import { expect } from 'chai';
import { type OrderLedger, pipeline } from '../../pipeline.ts';
import { aLedger, aLedgerThatIs, NOW, storeHolding, uuidOf } from '../../test/support/builders.ts';
import { createFaultyStore } from '../../test/support/faulty-store.ts';
import type { Store } from '../ports/store.ts';
import type { Saga } from '../step/saga.ts';
import { DEADLINE_SECONDS } from './deadline.ts';
import { type Ledger, ledgerPath, SHARD_COUNT, tombstone } from './ledger.ts';
import { type LedgerFilter, listLedgers } from './list-ledgers.ts';

/** The order with this number, made so many seconds after NOW. */
const orderAt = (seconds: number, number = seconds, fields: Partial<OrderLedger> = {}): OrderLedger =>
  aLedger({ uuid: uuidOf(number), createdAt: new Date(NOW.getTime() + seconds * 1000), ...fields });

const holding = async (...ledgers: Ledger[]) =>
  createFaultyStore(
    await storeHolding(Object.fromEntries(ledgers.map((ledger) => [ledgerPath(ledger.uuid), ledger]))),
  );

/** The numbers of the orders on every page, from the first page to the last. */
async function pages(store: Awaited<ReturnType<typeof holding>>, limit: number, filter: LedgerFilter = {}) {
  const listed: number[][] = [];
  let page: string | undefined;
  do {
    const { orders, nextPage } = await listLedgers(pipeline, store, filter, limit, page);
    listed.push(orders.map(({ uuid }) => Number.parseInt(uuid.slice(0, 8), 16)));
    page = nextPage;
  } while (page !== undefined);
  return listed;
}
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

describe('The list of orders', () => {
  it('is empty where there are none', async () => {
    expect(await listLedgers(pipeline, await holding(), {}, 10, undefined)).to.deep.equal({ orders: [] });
  });

  it('has the orders of all shards, newest first, each exactly once, a page at a time', async () => {
    const ledgers = range(30, 1).map((number) => orderAt(number));
    expect(new Set(ledgers.map(({ shard }) => shard)).size).to.equal(SHARD_COUNT);
    const store = await holding(...ledgers);
    expect(await pages(store, 12)).to.deep.equal([range(30, 19), range(18, 7), range(6, 1)]);
    expect(await listLedgers(pipeline, store, {}, 2, undefined)).to.have.deep.property('orders', [
      orderAt(30),
      orderAt(29),
    ]);
  });

  it('loses and repeats nothing where many orders came in the same moment', async () => {
    const store = await holding(...range(20, 1).map((number) => orderAt(0, number)));
    expect(await pages(store, 7)).to.deep.equal([range(20, 14), range(13, 7), range(6, 1)]);
  });

  it('ends with an empty page where the last one was full', async () => {
    const store = await holding(orderAt(1), orderAt(2));
    expect(await pages(store, 2)).to.deep.equal([[2, 1], []]);
  });

  it("[anomaly 7] has no tombstones, which are nobody's order, and goes on behind them", async () => {
    const detail = 'It failed before anybody knew it';
    const failure = { by: 'janitor', reason: 'PAYMENT_ERROR', detail, now: NOW };
    const nobody = (number: number) => ({
      ...tombstone(pipeline, uuidOf(number), failure, DEADLINE_SECONDS),
      createdAt: new Date(NOW.getTime() + number * 1000),
    });
    const store = await holding(orderAt(1), nobody(2), nobody(3), nobody(4), orderAt(5));
    expect(await pages(store, 2)).to.deep.equal([[5], [], [1]]);
  });

  it('leaves out a ledger that somebody has made malformed, and shows the others', async () => {
    const malformed = [
      { items: 'x' },
      { history: [] },
      { history: null },
      { paymentError: '{' },
      { createdAt: 'x' },
    ];
    const store = await holding(
      orderAt(1),
      ...malformed.map((fields, index) => orderAt(index + 2, index + 2, fields as Partial<OrderLedger>)),
    );
    expect(await pages(store, 100)).to.deep.equal([[1]]);
  });

  it('keeps to one customer, to one status, or to both', async () => {
    const created = (number: number, user: string) =>
      orderAt(number, number, {
        ...aLedgerThatIs('CREATED', { user, uuid: uuidOf(number) }),
        createdAt: new Date(number),
      });
    const store = await holding(
      orderAt(1, 1, { user: 'jill' }),
      orderAt(2),
      created(3, 'jill'),
      created(4, 'jack'),
    );
    expect(await pages(store, 10, { user: 'jill' })).to.deep.equal([[1, 3]]);
    expect(await pages(store, 10, { status: 'CREATED' })).to.deep.equal([[4, 3]]);
    expect(await pages(store, 10, { user: 'jack', status: 'RECEIVED' })).to.deep.equal([[2]]);
    expect(await pages(store, 10, { user: 'joe' })).to.deep.equal([[]]);
  });

  it('is asked for at once where the customer is known, and otherwise shard by shard, as the indexes are', async () => {
    const asked = async (filter: LedgerFilter, saga: Saga = pipeline) => {
      const wheres: object[] = [];
      const store = await holding(orderAt(1));
      const noting: Store = {
        ...store,
        query(listing) {
          wheres.push(listing.where);
          return store.query(listing);
        },
      };
      await listLedgers(saga, noting, filter, 10, undefined);
      return wheres;
    };
    const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => ({ shard }));
    expect(await asked({ user: 'jack', status: 'PAID' })).to.deep.equal([{ user: 'jack', status: 'PAID' }]);
    const further: Saga = { ...pipeline, order: { ...pipeline.order, listedBy: ['shop', 'user'] } };
    expect(await asked({ user: 'jack' }, further)).to.deep.equal([{ user: 'jack' }]);
    expect(await asked({})).to.deep.equal(shards);
    expect(await asked({ status: 'PAID' })).to.deep.equal(shards.map((one) => ({ ...one, status: 'PAID' })));
  });

  it('has no place for an order that says no moment at which it came', async () => {
    const store = await holding(orderAt(1), orderAt(2));
    const odd: Store = {
      ...store,
      // Firestore sorts texts and dates in one list.
      query: async (listing) => [{ ...orderAt(3), createdAt: 'x' }, ...(await store.query(listing))],
    };
    const { orders } = await listLedgers(pipeline, odd, { user: 'jack' }, 10, undefined);
    expect(orders).to.deep.equal([orderAt(2), orderAt(1)]);
  });

  it('keeps to what mentions a name, in all shards, newest first', async () => {
    const asking = (names: readonly string[]) => ({
      items: names.map((item) => ({ item, quantity: 1 })),
      mentions: names,
    });
    const store = await holding(
      ...range(20, 1).map((number) =>
        orderAt(number, number, asking(number % 2 === 0 ? ['widget', 'wotsit'] : ['wotsit'])),
      ),
    );
    const even = range(10, 1).map((number) => 2 * number);
    expect(await pages(store, 6, { mentions: 'widget' })).to.deep.equal([even.slice(0, 6), even.slice(6)]);
    expect(await pages(store, 10, { mentions: 'nothing' })).to.deep.equal([[]]);
  });
});
