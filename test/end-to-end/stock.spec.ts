import { expect } from 'chai';
import { systemClock } from '../../adapters/system-clock.ts';
import { takeAudit } from '../../janitor/audit/take-audit.ts';
import { pipeline as saga } from '../../pipeline.ts';
import { allServices } from '../../saga/deliver/service.ts';
import type { HttpRequest } from '../../saga/http/http.ts';
import { pause } from '../../saga/ports/clock.ts';
import { NOW, SETTINGS, uuidOf } from '../support/builders.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../support/pipeline.ts';
import { recordedPorts } from '../support/recorded-ports.ts';

const ALICE = { 'saga-operator': 'alice' };

for (const backend of sampledBackends) {
  describe(`The stock that operators change, on ${backend.name}`, function () {
    this.timeout(60_000);
    let pipeline: Pipeline;
    before(async function () {
      pipeline = await startPipeline(await backend.open(this));
    });
    after(() => pipeline?.close());

    const violations = async () =>
      (
        await takeAudit(saga, { store: pipeline.store, clock: systemClock }, () => pause(systemClock, 0))
      ).violations.map(({ sentence }) => sentence);
    const put = (item: string, body: unknown, headers: Record<string, string> = ALICE) =>
      pipeline.put(`/inventory/${item}`, body, headers);
    const changes = async (item: string, query = '') =>
      (await pipeline.get(`/inventory/${item}/changes${query}`)).body;
    const wanted = (loaded: number, price_per_unit = 5, note = 'A test') => ({
      loaded,
      price_per_unit,
      note,
    });

    it('is new: it can be ordered at once', async () => {
      const { status, body } = await put('novelty', wanted(3, 7));
      expect([status, body]).to.deep.equal([
        201,
        { item: 'novelty', quantity: 3, loaded: 3, price_per_unit: 7 },
      ]);
      const { status: end } = await pipeline.order({ item: 'novelty', quantity: 2, user: 'jack' });
      expect(end).to.equal(saga.success);
      expect((await pipeline.get('/inventory/novelty')).body).to.deep.equal({
        item: 'novelty',
        quantity: 1,
        reserved: 0,
        sold: 2,
        price_per_unit: 7,
      });
    });

    it('can be no less than what orders hold', async () => {
      const { status, body } = await put('novelty', wanted(1));
      expect([status, body.title, body.detail]).to.deep.equal([
        409,
        'Conflict',
        "Of novelty, 2 are reserved or sold: the whole can't be 1",
      ]);
      expect((await put('novelty', wanted(2, 8))).body).to.deep.include({ quantity: 0, loaded: 2 });
    });

    it('is put down in a journal: who, why, and how it was before', async () => {
      // What is so already is no change.
      expect((await put('novelty', wanted(2, 8))).status).to.equal(200);
      expect((await put('novelty', wanted(9, 8, 'A delivery came'), {})).status).to.equal(200);
      const first = await changes('novelty', '?limit=2');
      const next = await changes('novelty', `?limit=2&page=${first.next_page}`);
      const told = [...first.changes, ...next.changes].map(({ id, createdAt, ...rest }) => rest);
      expect(told).to.deep.equal([
        {
          note: 'A delivery came',
          before: { quantity: 0, loaded: 2, price_per_unit: 8 },
          after: { quantity: 7, loaded: 9, price_per_unit: 8 },
        },
        {
          person: 'alice',
          note: 'A test',
          before: { quantity: 1, loaded: 3, price_per_unit: 7 },
          after: { quantity: 0, loaded: 2, price_per_unit: 8 },
        },
        { person: 'alice', note: 'A test', after: { quantity: 3, loaded: 3, price_per_unit: 7 } },
      ]);
      expect(next).not.to.have.property('next_page');
      expect(await violations()).to.deep.equal([]);
    });

    it('[anomaly 14] adds up afterwards, however many orders take of it meanwhile', async () => {
      expect((await put('popular', wanted(5))).status).to.equal(201);
      let changing = true;
      async function placeOrders(user: string): Promise<void> {
        for (let n = 0; changing; n++) {
          const { body } = await pipeline.post('/order', { user, item: 'popular', quantity: 1 });
          if (n % 2 === 0) await pipeline.post(`/order/${body.uuid}/cancel`, {});
        }
      }
      const placed = Promise.all(['jack', 'jack', 'jack', 'nobody'].map(placeOrders));
      // Two operators at once. What one of them takes back, the other may have needed for orders.
      const answers = await Promise.all(
        [0, 1].map(async (operator) => {
          const statuses: number[] = [];
          for (let n = 0; n < 10; n++) {
            const loaded = 20 + 10 * n + operator - (n % 3 === 0 ? 25 : 0);
            const { status } = await put('popular', wanted(Math.max(loaded, operator), 5 + n));
            statuses.push(status);
          }
          return statuses;
        }),
      );
      changing = false;
      await placed;
      await pipeline.bus.idle();
      expect(await violations()).to.deep.equal([]);
      const statuses = answers.flat();
      expect(statuses.filter((status) => status !== 200 && status !== 409)).to.deep.equal([]);
      const { changes: all } = await changes('popular', '?limit=100');
      expect(all).to.have.length(1 + statuses.filter((status) => status === 200).length);
      for (const { before, after } of all.slice(0, -1)) {
        expect(after.loaded - after.quantity).to.equal(before.loaded - before.quantity);
      }
      // Each change begins where another one ended.
      const wholes = (side: 'before' | 'after') =>
        all.flatMap((change: Record<typeof side, { loaded: number }>) => change[side]?.loaded ?? []);
      const { body } = await pipeline.get('/inventory/popular');
      const last = body.quantity + body.reserved + body.sold;
      expect([...wholes('before'), last].sort()).to.deep.equal(wholes('after').sort());
    });

    it('is refused where the input is wrong, and says which field', async () => {
      const faults = async (item: string, body: unknown) => {
        const answer = await put(item, body);
        return [answer.status, answer.body.errors?.map(({ field }: { field: string }) => field)];
      };
      expect(await faults('widget', {})).to.deep.equal([400, ['price_per_unit', 'loaded', 'note']]);
      expect(await faults('widget', { ...wanted(-1), quantity: 3 })).to.deep.equal([
        400,
        ['loaded', 'quantity'],
      ]);
      for (const amount of [-1, 0.5, 1e300, '5']) {
        const { errors } = (await put('widget', { ...wanted(1), price_per_unit: amount })).body;
        expect(errors, `${amount}`).to.deep.equal([
          { field: 'price_per_unit', message: 'must be a whole number from 0 to 9007199254740991' },
        ]);
      }
      expect(await faults('widget', { ...wanted(1, 0.5), note: 'two\nlines' })).to.deep.equal([
        400,
        ['price_per_unit', 'note'],
      ]);
      expect(await faults('__x__', wanted(1))).to.deep.equal([400, ['item']]);
      expect(await faults('a%2Fb', wanted(1))).to.deep.equal([400, ['item']]);
      expect((await pipeline.get('/inventory/nothing/changes')).status).to.equal(404);
      expect((await pipeline.get('/inventory/__x__/changes')).status).to.equal(404);
      expect((await changes('widget')).changes).to.deep.equal([]);
    });
  });
}

describe('An operator who changes the stock', () => {
  const asked = async (faults: (ports: Awaited<ReturnType<typeof recordedPorts>>) => void) => {
    const widget = { quantity: 3, loaded: 10, price_per_unit: 5 };
    const ports = await recordedPorts({ 'inventory/widget': widget });
    faults(ports);
    const route = allServices(saga, { ...ports, newUuid: () => uuidOf(1) }, SETTINGS)
      .flatMap((service) => service.routes())
      .find((one) => one.method === 'PUT' && one.path === '/inventory/{item}');
    const request: HttpRequest = {
      params: { item: 'widget' },
      query: {},
      body: { price_per_unit: 5, loaded: 12, note: 'A delivery came' },
      header: () => undefined,
      caller: { kind: 'operator', name: 'alice' },
    };
    const answer = route?.handle(request).catch((error: unknown) => error);
    return { answer: await ports.clock.finish(Promise.resolve(answer)), ports };
  };

  it('is in the log', async () => {
    const { ports } = await asked(() => {});
    expect(ports.logged).to.deep.equal([
      {
        severity: 'INFO',
        message: 'inventory: widget was changed',
        step: 'inventory',
        item: 'widget',
        operator: 'alice',
        note: 'A delivery came',
      },
    ]);
  });

  it('[anomaly 37] is told after 15 s that nobody knows, and where to look', async () => {
    const { answer, ports } = await asked(({ store }) =>
      store.commitFaults.push(() => new Promise(() => {})),
    );
    expect(answer).to.include({
      status: 503,
      detail: 'Whether it was done is not known: look at /inventory/widget/changes, or ask again',
    });
    expect(ports.clock.now().getTime() - NOW.getTime()).to.equal(15_000);
  });

  it('[anomaly 37] hears of a store that is away', async () => {
    const { answer } = await asked(({ store }) => {
      store.readFaults = 100;
    });
    expect(answer).to.include({ name: 'StoreError', kind: 'unavailable' });
  });
});
