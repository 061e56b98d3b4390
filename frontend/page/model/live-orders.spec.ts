import { expect } from 'chai';
import {
  begun,
  countsOf,
  type LiveOrders,
  NO_ORDERS,
  ORDERS_MAX,
  plotColumns,
  SECONDS_MAX,
  withListed,
  withOrders,
  withTally,
} from './live-orders.ts';
import type { Order } from './order.ts';

const landmarks = { first: 'RECEIVED', rests: new Set(['DELIVERING', 'CANCELED']) };

/** An order that has made as many moves as its statuses say, 10 ms apart. */
function moved(uuid: string, createdMs: number, ...statuses: readonly string[]): Order {
  const at = (index: number) => new Date(createdMs + 10 * index).toISOString();
  return {
    uuid,
    status: statuses.at(-1) ?? '',
    createdAt: at(0),
    updatedAt: at(statuses.length - 1),
    history: statuses.map((status, index) => ({ at: at(index), status, by: 'x' })),
  };
}

describe('The live list of orders', () => {
  it('has each order once, as it is now, the newest first', () => {
    const before = withListed(NO_ORDERS, [moved('a', 1000, 'RECEIVED')]);
    const { orders } = withOrders(
      before,
      [moved('b', 2000, 'RECEIVED'), moved('a', 1000, 'RECEIVED', 'CREATED'), moved('c', 1500, 'RECEIVED')],
      landmarks,
      1,
    );
    expect(orders.map(({ uuid, status }) => `${uuid} ${status}`)).to.deep.equal([
      'b RECEIVED',
      'c RECEIVED',
      'a CREATED',
    ]);
  });

  it('does not go back to what was known before, whatever comes late', () => {
    const before = withListed(NO_ORDERS, [moved('a', 1000, 'RECEIVED', 'CREATED')]);
    const { orders } = withOrders(before, [moved('a', 1000, 'RECEIVED')], landmarks, 1);
    expect(orders[0]?.status).to.equal('CREATED');
  });

  it('is bounded', () => {
    const many = Array.from({ length: ORDERS_MAX + 50 }, (_, index) =>
      moved(`${index}`, index * 1000, 'RECEIVED'),
    );
    const { orders } = withOrders(withListed(NO_ORDERS, many.slice(0, 10)), many, landmarks, 1);
    expect([orders.length, orders[0]?.uuid]).to.deep.equal([ORDERS_MAX, `${ORDERS_MAX + 49}`]);
  });

  it('counts exactly what the stream counts, whatever it shows', () => {
    const before = { ...NO_ORDERS, initial: { RECEIVED: 2, CREATED: 5 } };
    const once = { entered: { RECEIVED: 100, CREATED: 90 }, left: { RECEIVED: 95 }, skipped: 150 };
    const then = {
      entered: { RECEIVED: 130, CREATED: 99, DELIVERING: 7 },
      left: { RECEIVED: 120, CREATED: 7 },
      skipped: 170,
    };
    const live = withTally(withTally(before, once, landmarks, 1), then, landmarks, 2);
    expect(countsOf(live)).to.deep.equal({ RECEIVED: 12, CREATED: 97, DELIVERING: 7 });
    expect(live.seconds).to.deep.equal([
      { at: 1, accepted: 100, settled: 0, latenciesMs: [] },
      { at: 2, accepted: 30, settled: 7, latenciesMs: [] },
    ]);
    expect(live.tally.skipped).to.equal(170);
  });

  it('goes on with the numbers that it had when a new stream begins to count', () => {
    const listed = [moved('a', 1000, 'RECEIVED', 'CREATED'), moved('b', 900, 'RECEIVED')];
    const tally = { entered: { RECEIVED: 3 }, left: {}, skipped: 0 };
    const before = withTally(
      { ...withListed(NO_ORDERS, listed), initial: { RECEIVED: 9 } },
      tally,
      landmarks,
      1,
    );
    const live = withTally(begun(before), tally, landmarks, 2);
    expect(countsOf(live)).to.deep.equal({ RECEIVED: 15 });
    const more = withListed(live, [moved('a', 1000, 'RECEIVED'), moved('c', 1500, 'RECEIVED')]);
    expect(more.orders.map(({ uuid, status }) => `${uuid} ${status}`)).to.deep.equal([
      'c RECEIVED',
      'a CREATED',
      'b RECEIVED',
    ]);
  });

  it('measures how long an order took to come to rest, once', () => {
    const resting = moved('a', 1000, 'RECEIVED', 'CREATED', 'DELIVERING');
    const ended = moved('a', 1000, 'RECEIVED', 'CREATED', 'DELIVERING', 'FAILING', 'CANCELED');
    const live = withOrders(withOrders(NO_ORDERS, [resting], landmarks, 1), [ended], landmarks, 2);
    expect(live.seconds.map(({ latenciesMs }) => latenciesMs)).to.deep.equal([[20]]);
  });

  it('keeps the last seconds for the plots, and shows a second without events as none', () => {
    let live: LiveOrders = NO_ORDERS;
    for (let at = 1; at <= SECONDS_MAX + 5; at++) {
      const tally = { entered: { RECEIVED: at }, left: {}, skipped: 0 };
      live = withTally(live, tally, landmarks, at * 2);
    }
    expect(live.seconds.length).to.equal(SECONDS_MAX);
    const columns = plotColumns(live.seconds, SECONDS_MAX * 2, 4);
    expect(columns.accepted).to.deep.equal([0, 1, 0, 1]);
    expect(columns.latencyMs).to.deep.equal([null, null, null, null]);
  });
});
