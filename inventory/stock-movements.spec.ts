import { expect } from 'chai';
import type { Answer } from '../test/support/pipeline.ts';
import { type Pipeline, sampledBackends, startPipeline } from '../test/support/pipeline.ts';

/** By how much an order changed what was available, reserved and sold. */
type Moved = readonly [status: string, quantity: number, reserved: number, sold: number];
interface Movement {
  readonly uuid: string;
  readonly status: string;
  readonly quantity: number;
  readonly reserved: number;
  readonly sold: number;
  readonly price_per_unit: number;
}

for (const backend of sampledBackends) {
  describe(`What moved the stock of an item, on ${backend.name}`, function () {
    this.timeout(60_000);
    let pipeline: Pipeline;
    /** Each test has an item of its own. */
    let item: string;
    let itemCount = 0;
    const loaded = 100;
    before(async function () {
      const opened = await backend.open(this);
      // The tests say the words for which orders wait.
      pipeline = await startPipeline(opened, undefined, undefined, undefined, {}, { isSilent: true });
    });
    after(() => pipeline?.close());
    beforeEach(async () => {
      item = `gadget-${++itemCount}`;
      await pipeline.put(`/inventory/${item}`, { price_per_unit: 7, loaded, note: 'A test' });
    });

    const place = async (quantity: number, fields: object = {}): Promise<string> => {
      const { uuid } = await pipeline.order({ user: 'jack', item, quantity, ...fields });
      return uuid;
    };
    const say = async (path: string, body: object = {}, headers = {}): Promise<void> => {
      expect((await pipeline.post(path, body, headers)).status).to.equal(202);
      await pipeline.bus.idle();
    };
    const movements = (query = ''): Promise<Answer> => pipeline.get(`/inventory/${item}/movements${query}`);
    const movedBy = async (uuid: string): Promise<Moved[]> => {
      const { movements: all } = (await movements()).body as { movements: Movement[] };
      return all
        .filter((one) => one.uuid === uuid)
        .map(({ status, quantity, reserved, sold }) => [status, quantity, reserved, sold]);
    };

    it('is what orders reserved of it, and what left for good: by which order, when, and at what price', async () => {
      const uuid = await place(2);
      // Neither the price nor another item has to do with it.
      await pipeline.put(`/inventory/${item}`, { price_per_unit: 9, loaded, note: 'Dearer' });
      await pipeline.order({ user: 'jack', item: 'widget', quantity: 1 });
      const { history } = (await pipeline.get(`/order/${uuid}`)).body;
      const at = (status: string) => history.find((one: { status: string }) => one.status === status).at;
      expect((await movements()).body).to.deep.equal({
        movements: [
          {
            ...{ uuid, at: at('DELIVERING'), status: 'DELIVERING', by: 'delivery' },
            ...{ quantity: 0, reserved: -2, sold: 2, price_per_unit: 7 },
          },
          {
            ...{ uuid, at: at('RESERVED'), status: 'RESERVED', by: 'inventory' },
            ...{ quantity: -2, reserved: 2, sold: 0, price_per_unit: 7 },
          },
        ],
      });
    });

    it('[anomaly 13] is also what was given back, from what was reserved or from what was sold', async () => {
      const failed = await place(3, { 'payment-error': true });
      const brought = await place(4);
      await say(`/deliveries/${brought}/canceled`);
      expect(await movedBy(failed)).to.deep.equal([
        ['CANCELED', 3, -3, 0],
        ['RESERVED', -3, 3, 0],
      ]);
      expect(await movedBy(brought)).to.deep.equal([
        ['CANCELED', 4, 0, -4],
        ['DELIVERING', 0, -4, 4],
        ['RESERVED', -4, 4, 0],
      ]);
    });

    it('[anomaly 49] is also what an amended order left of what was held for it', async () => {
      const uuid = await place(2 * loaded, { on_shortage: 'ask' });
      await say(`/order/${uuid}/amend`, { items: [{ item, quantity: 10 }] });
      expect(await movedBy(uuid)).to.deep.equal([
        ['DELIVERING', 0, -10, 10],
        ['RESUMED', loaded - 10, 10 - loaded, 0],
        ['WAITING', -loaded, loaded, 0],
      ]);
    });

    it('is also what a fork takes: by whose wish, and at the price of this item, whatever stands before it', async () => {
      const items = [
        { item: 'widget', quantity: 1 },
        { item, quantity: 10 },
      ];
      const { uuid } = await pipeline.order({ user: 'jack', items });
      await say(`/deliveries/${uuid}/canceled`);
      const wish = { from: 'RESERVED', note: 'It was lost' };
      await say(`/sagas/${uuid}/fork`, wish, { 'saga-operator': 'alice' });
      const told = (await movements()).body.movements.filter((one: Movement) => one.uuid !== uuid);
      const { uuid: fork, at } = told.at(-1);
      expect(told.at(-1)).to.deep.equal({
        ...{ uuid: fork, at, status: 'PAUSED', by: 'janitor', person: 'alice' },
        ...{ quantity: -10, reserved: 10, sold: 0, price_per_unit: 7 },
      });
    });

    it('is nothing of an order that was refused before, nor of a line that was amended away', async () => {
      const refused = await place(2 * loaded);
      const items = [
        { item, quantity: 1 },
        { item: 'widget', quantity: 1_000_000 },
      ];
      const { uuid } = await pipeline.order({ user: 'jack', items, on_shortage: 'ask' });
      await say(`/order/${uuid}/amend`, { items: [{ item: 'widget', quantity: 1 }] });
      expect(await movedBy(refused)).to.deep.equal([]);
      expect(await movedBy(uuid)).to.deep.equal([
        ['RESUMED', 1, -1, 0],
        ['WAITING', -1, 1, 0],
      ]);
    });

    it('adds up to what the item says of itself', async () => {
      await place(1);
      await place(2, { 'payment-error': true });
      await say(`/order/${await place(3)}/cancel`);
      const uuid = await place(2 * loaded, { on_shortage: 'ask' });
      await say(`/order/${uuid}/amend`, { items: [{ item, quantity: 5 }] });
      const { movements: all } = (await movements()).body as { movements: Movement[] };
      const sum = (field: 'quantity' | 'reserved' | 'sold') =>
        all.reduce((total, one) => total + one[field], 0);
      const { quantity, reserved, sold } = (await pipeline.get(`/inventory/${item}`)).body;
      expect([loaded + sum('quantity'), sum('reserved'), sum('sold')]).to.deep.equal([
        quantity,
        reserved,
        sold,
      ]);
      expect(sum('sold')).to.equal(6);
    });

    it('comes a page of orders at a time, and orders that arrive meanwhile change no later page', async () => {
      const placed: string[] = [];
      for (let count = 0; count < 5; count++) placed.unshift(await place(1));
      const uuids: string[][] = [];
      let query = '?limit=2';
      for (;;) {
        const { body } = await movements(query);
        uuids.push([...new Set<string>(body.movements.map(({ uuid }: Movement) => uuid))]);
        if (body.next_page === undefined) break;
        await place(1);
        query = `?limit=2&page=${body.next_page}`;
      }
      expect(uuids).to.deep.equal([placed.slice(0, 2), placed.slice(2, 4), placed.slice(4)]);
    });

    it('is nothing where no order came, and there is none of an item that is not there', async () => {
      expect((await movements()).body).to.deep.equal({ movements: [] });
      for (const path of ['nothing', '__x__'])
        expect((await pipeline.get(`/inventory/${path}/movements`)).status).to.equal(404);
      expect((await movements('?limit=0')).status).to.equal(400);
      expect((await movements('?page=x')).status).to.equal(400);
    });
  });
}
