import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { v4 as uuidv4 } from 'uuid';
import { serveHttp } from '../../adapters/http/http-server.ts';
import { gatewayApp } from '../../local/gateway.ts';
import { pipeline as shop } from '../../pipeline.ts';
import { serviceOf } from '../../saga/deliver/service.ts';
import { ledgerPath, SHARD_COUNT } from '../../saga/ledger/ledger.ts';
import type { Store, Watching } from '../../saga/ports/store.ts';
import { SETTINGS } from '../support/builders.ts';
import { type EventReader, readEvents } from '../support/event-stream.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';
import { aReceivedOrder, standingOrder } from '../support/standing-order.ts';

/** Jack may spend what he wants. */
const ORDER = { item: 'widget', quantity: 2, user: 'jack' };

/** A store whose open watches are counted. */
function countedWatches() {
  const open = new Set<Watching>();
  const counted = (watching: Watching): Watching => {
    open.add(watching);
    return {
      close() {
        open.delete(watching);
        watching.close();
      },
    };
  };
  return {
    count: () => open.size,
    wrap: ({ store }: { readonly store: Store }) => ({
      store: {
        ...store,
        watch: (...watch: Parameters<Store['watch']>) => counted(store.watch(...watch)),
        watchChanges: (...watch: Parameters<Store['watchChanges']>) => counted(store.watchChanges(...watch)),
      },
    }),
  };
}

for (const backend of sampledBackends) {
  describe(`Whoever watches orders, on ${backend.name}`, () => {
    let pipeline: Pipeline;
    const watches = countedWatches();
    before(async function () {
      pipeline = await startPipeline(await backend.open(this), watches.wrap);
      await pipeline.put('/inventory/widget', { price_per_unit: 1, loaded: 1_000, note: 'For many orders' });
    });
    after(() => pipeline?.close());

    const readers: EventReader[] = [];
    async function read(path: string, headers?: Record<string, string>): Promise<EventReader> {
      const reader = await readEvents(pipeline.url + path, headers);
      readers.push(reader);
      return reader;
    }
    afterEach(async () => {
      for (const reader of readers.splice(0)) reader.close();
      await pipeline.bus.idle();
    });

    it('sees an order as it is, each state it comes to, and the end of the stream with its own', async () => {
      const uuid = await standingOrder(pipeline, 'joe');
      const reader = await read(`/order/${uuid}/events`);
      expect([reader.status, reader.headers['content-type'], reader.headers['cache-control']]).to.deep.equal([
        200,
        'text/event-stream',
        'no-store',
      ]);
      const first = await reader.next();
      expect(first).to.deep.include({
        event: 'order',
        id: '1',
        data: (await pipeline.get(`/order/${uuid}`)).body,
      });
      await pipeline.post(`/sagas/${uuid}/announce`, '');
      await pipeline.bus.idle();
      const { data, id } = await reader.until('order', ({ status }) => status === shop.success);
      expect(data).to.deep.equal((await pipeline.get(`/order/${uuid}`)).body);
      expect(id).to.equal(`${data.history.length}`);
      expect(await reader.next()).to.deep.equal({ event: 'end', data: { status: shop.success } });
      expect(await reader.next()).to.equal(undefined);
    });

    it('who comes back with the number of transitions that it knows is told an order only once that moves', async () => {
      const uuid = await standingOrder(pipeline, 'joe');
      const reader = await read(`/order/${uuid}/events`, { 'last-event-id': '1' });
      await pipeline.post(`/order/${uuid}/cancel`, '');
      const first = await reader.until('order');
      expect(first.data.history.length).to.be.above(1);
      await reader.until('end');
      const again = await read(`/order/${uuid}/events`, { 'last-event-id': '3' });
      expect(await again.next()).to.deep.equal({ event: 'end', data: { status: 'CANCELED' } });
      expect((await read(`/order/${uuidv4()}/events`)).status).to.equal(404);
    });

    it('counts each transition of all orders once, and is shown each order in its last state', async () => {
      await standingOrder(pipeline, 'joe');
      const reader = await read('/events');
      expect(await reader.next()).to.deep.equal({
        event: 'tally',
        data: { entered: {}, left: {}, skipped: 0 },
      });
      const orders = await Promise.all(Array.from({ length: 20 }, () => pipeline.post('/order', ORDER)));
      const canceled = await pipeline.post('/order', { ...ORDER, 'payment-error': true });
      await pipeline.bus.idle();
      const wanted = new Set([...orders, canceled].map(({ body }) => body.uuid));
      const histories = await Promise.all(
        [...wanted].map(async (uuid) => (await pipeline.get(`/order/${uuid}`)).body.history),
      );
      const expected: Record<string, number> = {};
      for (const { status } of histories.flat()) expected[status] = (expected[status] ?? 0) + 1;
      const shown = new Map<string, string>();
      for (let moved = {}; !isDeepStrictEqual(moved, expected); ) {
        const { event, data } = (await reader.next()) ?? { event: 'end' };
        if (event === 'order') shown.set(data.uuid, data.status);
        else if (event === 'tally') moved = data.entered;
        else throw new Error(`The stream ended with ${JSON.stringify(moved)}`);
      }
      expect(new Set(shown.keys())).to.deep.equal(wanted);
      expect(shown.get(canceled.body.uuid)).to.equal('CANCELED');
      expect([...shown.values()].filter((status) => status === shop.success)).to.have.length(20);
    });

    it('may ask for the orders of one customer, and for those that come to a status or leave it', async () => {
      const [reader, failing] = [await read('/events?user=joe'), await read('/events?status=FAILING')];
      await Promise.all([reader.until('tally'), failing.until('tally')]);
      await pipeline.post('/order', ORDER);
      const { body } = await pipeline.post('/order', { ...ORDER, user: 'joe', 'payment-error': true });
      await pipeline.bus.idle();
      const last = await reader.until('tally', ({ entered }) => entered.CANCELED === 1);
      expect(last.data.entered).to.include({ RECEIVED: 1, FAILING: 1 });
      expect(last.data.left).to.include({ RECEIVED: 1, FAILING: 1 }).and.not.have.property('CANCELED');
      const { data } = await failing.until('order');
      expect(data.uuid).to.equal(body.uuid);
      expect((await failing.until('tally', ({ entered }) => entered.FAILING)).data.entered).to.deep.equal({
        FAILING: 1,
      });
    });

    it('is shown what moved while it was away', async () => {
      const reader = await read('/events?user=joe');
      await reader.until('tally');
      const joes = { ...ORDER, user: 'joe', 'payment-error': true };
      await pipeline.post('/order', joes);
      const { id = '' } = await reader.until('order');
      reader.close();
      const { body } = await pipeline.post('/order', joes);
      await pipeline.bus.idle();
      const again = await read('/events?user=joe', { 'last-event-id': id });
      await again.until('order', ({ uuid, status }) => uuid === body.uuid && status === 'CANCELED');
    });

    it('shares one listener with all others, which is closed after the last of them', async () => {
      const few = await read('/events');
      await few.until('tally');
      expect(watches.count()).to.equal(SHARD_COUNT);
      const many = await Promise.all(Array.from({ length: 20 }, () => read('/events?user=jack')));
      await Promise.all(many.map((one) => one.until('tally')));
      expect(watches.count()).to.equal(SHARD_COUNT);
      await pipeline.post('/order', { ...ORDER, user: 'jack' });
      await Promise.all([few, ...many].map((one) => one.until('order', ({ user }) => user === 'jack')));
      for (const one of [few, ...many]) one.close();
      while (watches.count() > 0) await pipeline.get('/livez');
    });

    it('can ask how many orders there are in each status', async () => {
      const counts = async (query = '') => (await pipeline.get(`/orders/counts${query}`)).body.counts;
      const [all, joes] = [await counts(), await counts('?user=joe')];
      expect(Object.keys(all)).to.deep.equal([...shop.statuses]);
      await pipeline.order(ORDER);
      await pipeline.order({ ...ORDER, user: 'joe', 'payment-error': true });
      const plus = (before: Record<string, number>, more: Record<string, number>) =>
        Object.fromEntries(Object.entries(before).map(([status, n]) => [status, n + (more[status] ?? 0)]));
      expect(await counts()).to.deep.equal(plus(all, { [shop.success]: 1, CANCELED: 1 }));
      expect(await counts('?user=joe')).to.deep.equal(plus(joes, { CANCELED: 1 }));
      expect((await pipeline.get('/orders/counts?users=joe')).status).to.equal(400);
    });

    it('can be told exactly how many orders are in each status, from the beginning of the stream', async () => {
      const uuid = await standingOrder(pipeline, 'joe');
      for (const query of ['', '&user=joe']) {
        const reader = await read(`/events?counts=true${query}`);
        await pipeline.post('/order', { ...ORDER, user: 'joe', 'payment-error': true });
        await pipeline.post(`/sagas/${uuid}/announce`, '');
        await pipeline.bus.idle();
        const truth = (await pipeline.get(`/orders/counts?${query.slice(1)}`)).body.counts;
        let counts: Record<string, number> = {};
        let tally: { entered: Record<string, number>; left: Record<string, number> } = {
          entered: {},
          left: {},
        };
        const shown = () =>
          Object.fromEntries(
            shop.statuses.map((status) => [
              status,
              (counts[status] ?? 0) + (tally.entered[status] ?? 0) - (tally.left[status] ?? 0),
            ]),
          );
        while (!isDeepStrictEqual(shown(), truth)) {
          const { event, data } = (await reader.next()) ?? { event: 'end' };
          if (event === 'counts') counts = data;
          else if (event === 'tally') tally = data;
          else if (event === 'end') throw new Error(`The stream ended with ${JSON.stringify(shown())}`);
        }
      }
      expect((await pipeline.get('/events?counts=yes')).status).to.equal(400);
    });

    it('sees what each step took, also after it was given back', async () => {
      const { uuid } = await pipeline.order({ ...ORDER, 'payment-error': true });
      const { took, status } = (await pipeline.get(`/order/${uuid}`)).body;
      expect(status).to.equal('CANCELED');
      expect(took).to.deep.equal([
        { step: 'order', kind: 'order record', path: `users/jack/orders/${uuid}` },
        { step: 'inventory', kind: 'item', name: 'widget', amount: 2 },
        { step: 'inventory', kind: 'reservation', path: `inventory/widget/orders/${uuid}` },
      ]);
    });
  });
}

describe('A live stream', () => {
  let pipeline: Pipeline;
  const watches = countedWatches();
  before(async () => {
    const [embedded] = sampledBackends;
    if (embedded === undefined) throw new Error('There is no backend');
    pipeline = await startPipeline(await embedded.open({} as Mocha.Context), watches.wrap);
  });
  after(() => pipeline?.close());

  it('passes the gateway of the local stack unread, and ends for the service when its client leaves', async () => {
    const port = Number(new URL(pipeline.url).port);
    const frontend = serviceOf(shop, 'frontend', await recordedPorts(), SETTINGS);
    const gateway = await serveHttp(
      gatewayApp(
        [frontend],
        '127.0.0.1',
        () => port,
        () => {},
      ),
      '127.0.0.1',
      0,
    );
    try {
      const uuid = await standingOrder(pipeline, 'jack');
      const reader = await readEvents(`${gateway.url}/order/${uuid}/events`, { 'last-event-id': '1' });
      expect([reader.status, reader.headers['content-type']]).to.deep.equal([200, 'text/event-stream']);
      await pipeline.post(`/order/${uuid}/cancel`, '');
      const { data } = await reader.until('order');
      expect(data.history.length).to.be.above(1);
      await reader.until('end');
      const all = await readEvents(`${gateway.url}/events`);
      await all.until('tally');
      expect(watches.count()).to.equal(SHARD_COUNT);
      all.close();
      while (watches.count() > 0) await pipeline.get('/livez');
      const last = await readEvents(`${gateway.url}/events`);
      await last.until('tally');
      await gateway.close(600_000);
      expect(await last.next()).to.equal(undefined);
    } finally {
      await gateway.close(0).catch(() => {});
    }
  });

  it('[anomaly 45] that is not read delays nobody, and says later how much it has left out', async () => {
    const [slow, fast] = [
      await readEvents(`${pipeline.url}/events`),
      await readEvents(`${pipeline.url}/events`),
    ];
    await Promise.all([slow.until('tally'), fast.until('tally')]);
    slow.pause();
    const count = 4_000;
    const all = ({ entered }: { entered: Record<string, number> }) => entered.RECEIVED === count;
    for (let from = 0; from < count; from += 400) {
      const orders = Array.from({ length: 400 }, () => aReceivedOrder('joe'));
      await pipeline.store.commit(
        orders.map((fields) => ({
          kind: 'create',
          path: ledgerPath(fields.uuid),
          fields: { ...fields, paymentError: 'x'.repeat(4_000) },
        })),
      );
    }
    const { skipped } = (await fast.until('tally', all)).data;
    expect(skipped).to.be.above(count / 2);
    expect((await pipeline.order(ORDER)).status).to.equal(shop.success);
    slow.resume();
    expect((await slow.until('tally', all)).data.skipped).to.be.above(count / 2);
    slow.close();
    fast.close();
  });

  it('[anomaly 35] ends at once when its process is told to end', async () => {
    const uuid = await standingOrder(pipeline, 'jack');
    const readers = await Promise.all(
      [`/order/${uuid}/events`, '/events'].map((path) => readEvents(pipeline.url + path)),
    );
    for (const reader of readers) await reader.next();
    await pipeline.close();
    for (const reader of readers) while ((await reader.next()) !== undefined);
  });
});
